"""Stage `style`: two stretches of one speaker's motion shall have one style (specification, section 5).

The emotion changes along a recording and a window lasts four seconds, so what both stretches share is how the speaker
moves and, mostly, the emotion: a style says both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.retarget.profile import load_profile
from facestream.types import EXPRESSION_COUNT
from facestream_models.diffposetalk.compact import COMPACT, NormalisedMotion
from facestream_models.diffposetalk.contrast import nt_xent
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES, StyleEncoder
from facestream_models.training.run import RunConfig

_LEAST_MOVED_MM = 0.02
"""RMS over the face. A component that moves it less is not blown up to the size of the others."""
_LEAST_TURNED = 1e-3


@dataclass(frozen=True)
class StyleConfig:
    """`rows` speakers a batch, `gap` frames between the two stretches; figures among `rivals` speakers."""

    rows: int = 32
    gap: int = 10
    rivals: int = 20
    rounds: int = 10
    run: RunConfig = field(default_factory=RunConfig)
    shape: DenoiserShape = field(default_factory=lambda: COMPACT)

    @property
    def frames(self) -> int:
        """Of both stretches and the gap."""
        return 2 * STYLE_FRAMES + self.gap


class StyleNetwork(nn.Module):
    """The encoder with the space of its motion."""

    def __init__(self, shape: DenoiserShape) -> None:
        super().__init__()
        self.space = NormalisedMotion(shape.motion_count)
        self.encoder = StyleEncoder(shape, legacy_positions=False)
        self.width = shape.style_count

    def forward(self, motion: Tensor) -> Tensor:
        """Style [B, S] of `motion` [B, 100, 54] as recorded."""
        style: Tensor = self.encoder(self.space(motion))
        return style


class StyleStage:
    """Motion in, style out. The space of motion is measured on the training recordings."""

    def __init__(self, config: StyleConfig, training: Recordings, held_out: Recordings) -> None:
        usable = training.long_enough(config.frames)
        if len(usable) < config.rows:
            raise ValueError(
                f"rows {config.rows}: {len(usable)} speakers have {config.frames} frames or more; ask for fewer rows"
            )
        self.config, self.training, self.held_out = config, training, held_out
        self.styles = StyleNetwork(config.shape)
        set_space(self.styles.space, training)

    @property
    def network(self) -> nn.Module:
        return self.styles

    @property
    def facts(self) -> Mapping[str, Any]:
        return {
            "shape": asdict(self.config.shape),
            "training_seconds": round(self.training.seconds),
            "speakers": len(self.training.speakers),
        }

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        motion = self.training.draw(self.config.rows, self.config.frames, random, distinct=True).motion
        return {"contrast": nt_xent(*self._both(self.styles, motion))}

    def figures(self, network: nn.Module) -> dict[str, float]:
        """On held-out speakers: how often a style's nearest among `rivals` is that of the same speaker.

        `rank1` with the stretch that follows, `rank1_anywhere` with any other of the speaker, `chance` for comparison.
        """
        assert isinstance(network, StyleNetwork)
        random = np.random.default_rng(0)
        count = min(self.config.rivals, len(self.held_out.long_enough(self.config.frames)))
        following, anywhere = [], []
        for _ in range(self.config.rounds):
            motion = self.held_out.draw(count, self.config.frames, random, distinct=True)
            first, second = self._both(network, motion.motion)
            following.append(_retrieved(first, second))
            places = [(int(n), self.held_out.random_place(int(n), STYLE_FRAMES, random)) for n in motion.recording]
            anywhere.append(_retrieved(first, network(self.held_out.cut(places, STYLE_FRAMES).motion)))
        return {
            "rank1": float(torch.stack(following).mean()),
            "rank1_anywhere": float(torch.stack(anywhere).mean()),
            "chance": 1.0 / count,
        }

    @staticmethod
    def _both(network: StyleNetwork, motion: Tensor) -> tuple[Tensor, Tensor]:
        styles: Tensor = network(torch.cat([motion[:, :STYLE_FRAMES], motion[:, -STYLE_FRAMES:]]))
        first, second = styles.chunk(2)
        return first, second


def set_space(space: NormalisedMotion, recordings: Recordings) -> None:
    """Mean and deviation over all frames; the deviation has a floor in what it moves.

    The released statistics hold deviations within short crops. Over all frames they are of unit size for a face that
    holds an emotion, too, and the noise of diffusion is measured against them.
    """
    motion = recordings.motion()
    weights = load_profile().coefficient_weights[:EXPRESSION_COUNT]
    floor = np.full(motion.shape[1], _LEAST_TURNED, np.float32)
    floor[:EXPRESSION_COUNT] = _LEAST_MOVED_MM / np.maximum(weights, 1e-6)
    space.mean.copy_(torch.from_numpy(motion.mean(axis=0)))
    space.deviation.copy_(torch.from_numpy(np.maximum(motion.std(axis=0), floor)))


def _retrieved(first: Tensor, second: Tensor) -> Tensor:
    likeness = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    return (likeness.argmax(dim=1) == torch.arange(len(first))).float().mean()
