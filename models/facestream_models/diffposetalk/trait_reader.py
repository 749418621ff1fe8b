"""What a style is asked to tell: traits that its speaker was made with, read off along one direction each.

Resting faces alone tell speakers apart, and an encoder that learned nothing else told nobody's head amplitude or play
of the brows (r of 0 over faces it had not met, 2026-11-21), so that no network behind it could obey them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.speaking_style import TRAITS


class TraitReader(nn.Module):
    """Directions have unit length, so that a trait that is read well has a unit variance of its own in the style."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.directions = nn.Linear(width, len(TRAITS))
        self.register_buffer("mean", torch.zeros(len(TRAITS)))
        self.register_buffer("deviation", torch.ones(len(TRAITS)))

    def measure(self, traits: Tensor) -> None:
        """Take the scales from `traits` [N, 10] of the speakers; one that all share keeps its unit."""
        deviation, mean = torch.std_mean(traits, dim=0)
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 0.0, deviation, 1.0))

    def forward(self, style: Tensor) -> Tensor:
        """Traits [B, 10] in deviations from the mean, as a `style` [B, S] tells them."""
        return F.linear(style, F.normalize(self.directions.weight, dim=1), self.directions.bias)

    def error(self, style: Tensor, traits: Tensor) -> Tensor:
        """Mean square error of what a `style` [B, S] tells of `traits` [B, 10] (`even_traits`), in deviations."""
        return F.mse_loss(self(style), (traits - self.mean) / self.deviation)
