"""Stage `frame-emotion`: which emotion a single frame of a face shows (specification, section 1.2).

Takes ease into their emotion and out of it, and mild ones look much like neutral: no classifier gets all frames right.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.stages.windows import SeenTakes, TakeWindows
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class FrameEmotionConfig:
    """`rows` frames a batch; half of them get noise of size `noise` on each coefficient kept with `noise_share`.

    `noise_in_spreads` adds noise of so many spreads of each coefficient in training: a judge that met none takes the
    small errors of any network for another emotion. `in_codes_of` names a folder beside the output with a prior: half
    of the batches are of motion as its codes say it, which wears away mild acts.
    """

    rows: int = 1024
    noise: float = 0.02
    noise_share: float = 0.7
    noise_in_spreads: float = 0.0
    in_codes_of: str = ""
    run: RunConfig = field(default_factory=RunConfig)
    shape: FrameEmotionShape = field(default_factory=lambda: FrameEmotionShape(normalised_features=True))


class FrameEmotionStage:
    """Frames in, emotion labels of their takes out."""

    def __init__(self, config: FrameEmotionConfig, training: SeenTakes, held_out: SeenTakes) -> None:
        self.config, self.training, self.held_out = config, training, held_out
        self.spread = training.true.spread()
        self.network: nn.Module = FrameEmotion(config.shape)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.config.shape), "training_seconds": round(self.training.true.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        motion, emotion = self.training.either(random).draw_frames(self.config.rows, random)
        return {"classes": F.cross_entropy(self.network(self._with_noise(motion)), emotion)}

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Accuracy on frames, and on whole takes by their mean logits; the latter also on motion said in codes."""
        frames, takes = self._right(network, self.held_out.true)
        _, in_codes = self._right(network, self.held_out.in_codes)
        return {"frame_accuracy": frames, "take_accuracy": takes, "take_accuracy_in_codes": in_codes}

    @staticmethod
    def _right(network: nn.Module, held_out: TakeWindows) -> tuple[float, float]:
        frames, takes = [], []
        for window in held_out.whole():
            logits = network(window.motion[0])
            frames.append((logits.argmax(dim=1) == window.emotion).float().mean())
            takes.append((logits.mean(dim=0).argmax() == window.emotion[0]).float())
        return float(torch.stack(frames).mean()), float(torch.stack(takes).mean())

    def _with_noise(self, motion: Tensor) -> Tensor:
        noisy = torch.rand(len(motion), 1) < 0.5
        kept = torch.rand(motion.shape) < self.config.noise_share
        size = self.config.noise + self.config.noise_in_spreads * self.spread
        return motion + size * torch.randn(motion.shape) * (noisy & kept)
