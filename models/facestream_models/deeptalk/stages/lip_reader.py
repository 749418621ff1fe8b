"""Stage `lip-reader`: visemes from the points of the lips, for the lip losses of the generator."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.phones import SILENCE
from facestream_models.deeptalk.stages.windows import SeenTakes, TakeWindows
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.lip_reader import LipReader, LipReaderShape, visemes_of
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class LipReaderConfig:
    """Windows of `frames`, `rows` of them a batch. `in_codes_of` is that of `FrameEmotionConfig`."""

    rows: int = 32
    frames: int = 48
    in_codes_of: str = ""
    run: RunConfig = field(default_factory=RunConfig)
    shape: LipReaderShape = field(default_factory=LipReaderShape)


class LipReaderStage:
    """Motion in, visemes out."""

    def __init__(self, config: LipReaderConfig, training: SeenTakes, held_out: SeenTakes, mesh: FaceMesh) -> None:
        self.config, self.training, self.held_out = config, training, held_out
        self.lips = some_points(mesh, mesh.is_lip)
        self.reader = LipReader(config.shape)

    @property
    def network(self) -> nn.Module:
        return self.reader

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.config.shape), "training_seconds": round(self.training.true.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        windows = self.training.either(random).draw(self.config.rows, self.config.frames, random)
        logits = self.reader(self.lips(windows.motion))
        return {"visemes": F.cross_entropy(logits.flatten(0, 1), visemes_of(windows.classes).flatten())}

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Share of held-out frames read right, of all and of those with speech; the latter also of motion in codes.

        `viseme_accuracy_elsewhere` is the control: the same readings beside what is said half a window later.
        """
        spoken, every, elsewhere = self._right(network, self.held_out.true)
        in_codes, _, _ = self._right(network, self.held_out.in_codes)
        return {
            "viseme_accuracy": spoken,
            "viseme_accuracy_all": every,
            "viseme_accuracy_elsewhere": elsewhere,
            "viseme_accuracy_in_codes": in_codes,
        }

    def _right(self, network: nn.Module, held_out: TakeWindows) -> tuple[float, float, float]:
        """Share of frames read right: with speech, of all, and with speech half a window later."""
        found, said, later = [], [], []
        for windows in held_out.in_order(self.config.frames):
            found.append(network(self.lips(windows.motion)).argmax(dim=2).flatten())
            said.append(windows.classes.flatten())
            later.append(windows.classes.roll(-(self.config.frames // 2), dims=1).flatten())
        read, here, elsewhere = (torch.cat(parts) for parts in (found, said, later))
        hits, control = ((read == visemes_of(classes)).float() for classes in (here, elsewhere))
        return _of_speech(hits, here), float(hits.mean()), _of_speech(control, elsewhere)


def _of_speech(hits: Tensor, classes: Tensor) -> float:
    """Mean of `hits` [F] where the classes [F] are of speech."""
    return float(hits[classes != SILENCE].mean())
