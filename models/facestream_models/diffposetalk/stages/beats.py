"""Stage `beats`: from how loud a voice is to how its head moves, alone and before the denoiser, which goes on from it.

In a denoiser that must learn lips, styles and diffusion beside, the same convolutions find next to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.types import EXPRESSION_COUNT
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.diffposetalk.compact import COMPACT
from facestream_models.diffposetalk.heard_speech import louder
from facestream_models.diffposetalk.shape import FRAME_RATE
from facestream_models.diffposetalk.stages.recordings import Recordings, Windows
from facestream_models.diffposetalk.voice_beats import CHANNELS, CONTEXT, VoiceBeats
from facestream_models.training.run import RunConfig

MOVED = ("pitch_speed", "speed", "pitch")
"""What is told of a head, in units of its usual size."""
_SPEED, _USUAL_SPEED, _PITCH = 10.0, 14.0, 2.0  # degrees a second, and degrees


@dataclass(frozen=True)
class BeatsConfig:
    """`rows` windows of `frames`; how loud they are is up to `level_range` bels off."""

    rows: int = 32
    frames: int = 110
    level_range: float = 0.75
    validation_rows: int = 200
    run: RunConfig = field(default_factory=RunConfig)
    width: int = COMPACT.width


class BeatsNetwork(nn.Module):
    """The convolutions with a reading of what they find; the way into features is left as it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.beats = VoiceBeats(width)
        self.beats.out.requires_grad_(False)
        self.told = nn.Linear(CHANNELS, len(MOVED))

    def forward(self, levels: Tensor) -> Tensor:
        """`MOVED` [B, F, 3] of heads of usual amplitude, by levels [B, F, 4]."""
        told: Tensor = self.told(self.beats.found(levels))
        return told


class BeatsStage:
    """Recordings must have been heard by `levels` alone."""

    def __init__(self, config: BeatsConfig, training: Recordings, held_out: Recordings) -> None:
        self.config, self.training, self.held_out = config, training, held_out
        self.network = BeatsNetwork(config.width)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"training_seconds": round(self.training.seconds), "speakers": len(self.training.speakers)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        config = self.config
        drawn = self.training.draw(config.rows, config.frames, random)
        off = torch.from_numpy(random.uniform(-config.level_range, config.level_range, size=config.rows)).float()
        told = self.network(louder(drawn.content, off))
        return {"moved": F.mse_loss(told[:, CONTEXT:], _moved(drawn, self.training)[:, CONTEXT:])}

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Correlations with the truth over held-out speakers."""
        windows = self.held_out.spread(self.config.validation_rows, self.config.frames)
        told, true = (
            values[:, CONTEXT:].flatten(0, 1) for values in (network(windows.content), _moved(windows, self.held_out))
        )
        found = F.cosine_similarity(told - told.mean(dim=0), true - true.mean(dim=0), dim=0)
        return {f"r.{name}": float(value) for name, value in zip(MOVED, found, strict=True)}


def _moved(windows: Windows, recordings: Recordings) -> Tensor:
    """`MOVED` [B, F, 3], the size of whose head is the usual one."""
    amplitude = torch.from_numpy(recordings.traits)[windows.recording, TRAITS.index("head_amplitude")].exp()
    head = torch.rad2deg(windows.motion[:, :, EXPRESSION_COUNT:-1]) / amplitude[:, None, None]
    speed = FRAME_RATE * torch.diff(head, dim=1, prepend=head[:, :1])
    pitch = head[:, :, 0] - head[:, :, 0].mean(dim=1, keepdim=True)
    size = (torch.linalg.vector_norm(speed, dim=2) - _USUAL_SPEED) / _USUAL_SPEED
    return torch.stack([speed[:, :, 0] / _SPEED, size, pitch / _PITCH], dim=2)
