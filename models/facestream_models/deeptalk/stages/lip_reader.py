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
        spoken, every = self._right(network, self.held_out.true)
        elsewhere, _ = self._right(network, self.held_out.true, self.config.frames // 2)
        in_codes, _ = self._right(network, self.held_out.in_codes)
        return {
            "viseme_accuracy": spoken,
            "viseme_accuracy_all": every,
            "viseme_accuracy_elsewhere": elsewhere,
            "viseme_accuracy_in_codes": in_codes,
        }

    def _right(self, network: nn.Module, held_out: TakeWindows, later: int = 0) -> tuple[float, float]:
        right, spoken = [], []
        for windows in held_out.in_order(self.config.frames):
            found = network(self.lips(windows.motion)).argmax(dim=2)
            said = windows.classes.roll(-later, dims=1)
            right.append((found == visemes_of(said)).flatten())
            spoken.append((said != SILENCE).flatten())
        hits, speech = torch.cat(right).float(), torch.cat(spoken)
        return float(hits[speech].mean()), float(hits.mean())
