"""Vector quantisation with a codebook that follows its vectors by moving averages (arXiv 1711.00937, appendix A)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SMOOTHING = 1e-5
_NEXT_BEST = 12


class Quantised(NamedTuple):
    """`vectors` [B, K, D] that gradients pass straight through, their `codes` [B, K], and the mean squared distance
    `commitment` that pulls vectors towards their codes (unweighted).
    """

    vectors: Tensor
    codes: Tensor
    commitment: Tensor


class Codebook(nn.Module):
    """`codes` vectors of `width` numbers. In training each call moves them; in use they stand still.

    Moving averages start at the codes themselves and are smoothed by the number of vectors, as the method has it; the
    released model started them at noise and counted clips (section 3, no. 16). A code that in training is used less
    than `revival` times as often as the even share moves to a vector of the batch; 0 lets codes die, as there. In
    training a share `slips` of the vectors is given one of the next best codes: who builds on codes that a network
    guesses must bear with wrong ones.
    """

    def __init__(self, codes: int, width: int, decay: float, revival: float = 0.0, slips: float = 0.0) -> None:
        super().__init__()
        self.decay, self.revival, self.slips = decay, revival, slips
        start = torch.randn(codes, width) / width**0.5
        self.register_buffer("vectors", start)
        self.register_buffer("mean_counts", torch.ones(codes))
        self.register_buffer("mean_sums", start.clone())
        self.vectors: Tensor
        self.mean_counts: Tensor
        self.mean_sums: Tensor

    def forward(self, x: Tensor) -> Quantised:
        """Nearest code of each vector of `x` [B, K, D]."""
        flat = x.reshape(-1, x.shape[2])
        codes = self.nearest(flat.detach())
        chosen = self.vectors[codes].reshape(x.shape)
        commitment = (chosen - x).square().mean()
        if self.training:
            if self.slips:
                slipped = self._slipped(flat.detach(), codes)
                chosen = self.vectors[slipped].reshape(x.shape)
            self._follow(flat.detach(), codes)
        return Quantised(x + (chosen - x).detach(), codes.reshape(x.shape[:2]), commitment)

    def nearest(self, x: Tensor) -> Tensor:
        """`x` [N, D] -> codes [N] by squared distance."""
        return self._squares(x).argmin(dim=1)

    def likeness(self, x: Tensor, softness: float) -> Tensor:
        """How well each code would do for `x` [B, K, D]: shares [B, K, codes] that add up to 1.

        They fall by e for every `softness` times the usual distance to the nearest code; 0 is all for the nearest.
        """
        flat = x.reshape(-1, x.shape[2])
        squares = self._squares(flat)
        nearest = squares.argmin(dim=1)
        if softness == 0:
            shares = F.one_hot(nearest, len(self.vectors)).to(x)
        else:
            usual = (flat - self.vectors[nearest]).square().sum(dim=1).mean()
            shares = torch.softmax(-squares / (softness * usual), dim=1)
        return shares.reshape(*x.shape[:2], -1)

    def mix(self, weights: Tensor) -> Tensor:
        """`weights` [B, K, codes], one-hot or soft -> [B, K, D]."""
        return weights @ self.vectors

    def perplexity(self, codes: Tensor) -> Tensor:
        """How many codes are in use, as if all were used alike: exp of the entropy of `codes` [...]."""
        share = torch.bincount(codes.flatten(), minlength=len(self.vectors)).to(self.vectors) / codes.numel()
        return torch.exp(-(share * torch.log(share + 1e-10)).sum())

    def _squares(self, x: Tensor) -> Tensor:
        """Squared distance [N, codes] of `x` [N, D] to each code, but for the square of `x` itself."""
        return self.vectors.square().sum(dim=1) - 2 * x @ self.vectors.T

    def _slipped(self, x: Tensor, codes: Tensor) -> Tensor:
        """`codes` [N], some of them one of the next best of `x` [N, D]."""
        near = self._squares(x).topk(min(_NEXT_BEST, len(self.vectors)), largest=False).indices
        other = near.gather(1, torch.randint(near.shape[1], (len(x), 1)))[:, 0]
        return torch.where(torch.rand(len(x)) < self.slips, other, codes)

    @torch.no_grad()
    def _follow(self, x: Tensor, codes: Tensor) -> None:
        counts = torch.bincount(codes, minlength=len(self.vectors)).to(x)
        sums = torch.zeros_like(self.mean_sums).index_add_(0, codes, x)
        self.mean_counts.lerp_(counts, 1 - self.decay)
        self.mean_sums.lerp_(sums, 1 - self.decay)
        total = self.mean_counts.sum()
        smoothed = (self.mean_counts + _SMOOTHING) / (total + len(counts) * _SMOOTHING) * total
        self.vectors.copy_(self.mean_sums / smoothed[:, None])
        if self.revival:
            self._revive(x)

    def _revive(self, x: Tensor) -> None:
        even = self.mean_counts.mean()
        dead = torch.nonzero(self.mean_counts < self.revival * even)[:, 0]
        self.vectors[dead] = x[torch.randint(len(x), (len(dead),))]
        self.mean_counts[dead] = even  # time to be found
        self.mean_sums[dead] = even * self.vectors[dead]
