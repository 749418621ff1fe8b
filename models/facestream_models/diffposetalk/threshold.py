"""Dynamic thresholding (Saharia et al. 2022), as DiffPoseTalk applies it: to every branch, before they are combined."""

from dataclasses import dataclass

import torch
from torch import Tensor

from facestream.errors import InvalidValue


@dataclass(frozen=True)
class DynamicThreshold:
    """Bounds a guess by its own quantile `ratio`, itself kept within `least` and `most` (in normalised motion).

    Better quality for less diversity, say the authors. Normalised head rotation may well exceed 4 in a person who looks
    aside; `spares_head` leaves those components alone, which the released code does not.
    """

    ratio: float = 0.99
    least: float = 1.0
    most: float = 4.0
    spares_head: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.ratio <= 1.0:
            raise InvalidValue("threshold.ratio", self.ratio, "more than 0, at most 1")
        if not 0.0 < self.least <= self.most:
            raise InvalidValue("threshold.least", self.least, f"more than 0, at most threshold.most = {self.most}")

    def __call__(self, guess: Tensor, head: slice) -> Tensor:
        """`guess` [B, L, D] with each row clamped to its own bound; `head` are the components of head rotation."""
        bound = torch.quantile(guess.abs().flatten(1), self.ratio, dim=1)
        bound = bound.clamp(self.least, self.most)[:, None, None]
        clamped = guess.clamp(-bound, bound)
        if self.spares_head:
            clamped[:, :, head] = guess[:, :, head]
        return clamped
