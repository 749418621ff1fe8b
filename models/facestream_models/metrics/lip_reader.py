"""A lip reader for meshes: which viseme the points of the lips show, and features that stand for what is seen.

It has the part that a network reading lips in video has for DEEPTalk (arXiv 2408.06010): motion that reads alike is
alike, whatever emotion the rest of the face shows. Being trained on this repository's own takes it needs no video.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.phones import MERGED

POINT_SCALE = 0.1
VISEMES = max(MERGED) + 1
"""The fourteen merged classes of the speech-motion-data specification, section 6."""


@dataclass(frozen=True)
class LipReaderShape:
    """Sizes; `points` of the lips come in."""

    points: int = 266
    width: int = 64
    layers: int = 4
    kernel: int = 5


class LipReader(nn.Module):
    """`lips` [B, F, points, 3] in mm at 25 Hz -> viseme logits [B, F, 14].

    Only movement counts: each point is taken from where it rests in the mean of its window.
    """

    def __init__(self, shape: LipReaderShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or LipReaderShape()
        self.enter = nn.Linear(3 * shape.points, shape.width)
        self.layers = nn.ModuleList(
            nn.Conv1d(shape.width, shape.width, shape.kernel, padding=shape.kernel // 2) for _ in range(shape.layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(shape.width) for _ in range(shape.layers))
        self.leave = nn.Linear(shape.width, VISEMES)

    def forward(self, lips: Tensor) -> Tensor:
        logits: Tensor = self.leave(self.features(lips))
        return logits

    def features(self, lips: Tensor) -> Tensor:
        """What is seen, [B, F, width]."""
        entered: Tensor = self.enter((lips - lips.mean(dim=1, keepdim=True)).flatten(2) * POINT_SCALE)
        return self.seen(entered)

    def seen(self, x: Tensor) -> Tensor:
        """The layers behind the first linear one, [B, F, width] -> [B, F, width]."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + F.silu(layer(norm(x).transpose(1, 2)).transpose(1, 2))
        return x


def reading_loss(reader: LipReader, predicted: Tensor, true: Tensor) -> Tensor:
    """One minus the mean cosine similarity of what is seen on two runs of lips [B, F, points, 3], per frame."""
    return 1.0 - F.cosine_similarity(reader.features(predicted), reader.features(true), dim=2).mean()


def visemes_of(classes: Tensor) -> Tensor:
    """Merged class of each class index [...]."""
    return torch.tensor(MERGED, device=classes.device)[classes]
