"""The emotion of a single frame of motion: 53 coefficients in, 8 emotions out, and 128 features on the way.

Training takes the classifier; the emotion embedding takes its features (specification, sections 1.2 and 2.4).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.01


@dataclass(frozen=True)
class FrameEmotionShape:
    """Sizes; the defaults are the paper's. `normalised_features`: take features behind the batch norms.

    The released features bypass the norms that the classifier was trained with, and the released embedding was
    trained on such features; weights trained here use the path that was trained (section 3, no. 10).
    """

    coefficients: int = 53
    widths: tuple[int, ...] = (256, 512, 1024, 512, 256, 128, 64)
    emotions: int = 8
    feature_layer: int = 5
    normalised_features: bool = False
    dropout: float = 0.3

    @property
    def feature_width(self) -> int:
        return self.widths[self.feature_layer]


class FrameEmotion(nn.Module):
    """See the module text."""

    def __init__(self, shape: FrameEmotionShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or FrameEmotionShape()
        sources = (shape.coefficients, *shape.widths)
        self.linears = nn.ModuleList(
            nn.Linear(source, width) for source, width in zip(sources, shape.widths, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in shape.widths)
        self.classes = nn.Linear(shape.widths[-1], shape.emotions)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, motion: Tensor) -> Tensor:
        """`motion` [frames, 53] -> emotion logits [frames, 8]."""
        x = motion
        for linear, norm in zip(self.linears, self.norms, strict=True):
            x = self.dropout(F.leaky_relu(norm(linear(x)), _SLOPE))
        logits: Tensor = self.classes(x)
        return logits

    def features(self, motion: Tensor) -> Tensor:
        """`motion` [..., 53] -> [..., 128], linear: the last layer of the path has no activation."""
        x = motion.reshape(-1, motion.shape[-1])
        last = self.shape.feature_layer
        for number, (linear, norm) in enumerate(zip(self.linears, self.norms, strict=True)):
            x = linear(x)
            if number == last:
                break
            x = F.leaky_relu(norm(x) if self.shape.normalised_features else x, _SLOPE)
        return torch.reshape(x, (*motion.shape[:-1], self.shape.feature_width))
