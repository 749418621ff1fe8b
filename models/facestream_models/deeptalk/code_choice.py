"""From logits to codes: the most likely one, a sample, or a soft choice that gradients pass.

Sampling adds Gumbel noise to the logits and takes the largest: `argmax(logits + temperature * noise)` draws from
`softmax(logits / temperature)`, and noise of zero is the plain argmax. So one graph serves both ways of use, and where
noise comes from is the caller's. The released demo divides *after* adding the noise, which changes nothing but the
gradient: its temperature has no effect in use (section 3, no. 2).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from facestream.errors import InvalidValue
from facestream.polish.noise import uniform

TOP, BOTTOM = 0, 1
"""Lanes of the noise: the two levels draw independently."""

_SEEDS = 2**64


def chosen_codes(logits: Tensor, noise: Tensor) -> Tensor:
    """Codes [B, K] of `logits` [B, K, codes]; `noise` of the same shape is the temperature times Gumbel, or zeros."""
    return (logits + noise).argmax(dim=2)


def gumbel_noise(level: int, seed: int, first_code: int, count: int, codes: int = 256) -> NDArray[np.float32]:
    """Gumbel noise [count, codes] of the codes from `first_code` on, `level` being `TOP` or `BOTTOM`.

    It is keyed by the absolute index of the code, so windows that overlap draw the same. Raises `InvalidValue` for a
    seed that does not fit 64 bits.
    """
    if not 0 <= seed < _SEEDS:
        raise InvalidValue("seed", seed, f"0 to {_SEEDS - 1}")
    index = np.arange(first_code, first_code + count, dtype=np.uint64)[:, None]
    key = np.broadcast_to(index, (count, codes)).ravel()
    number = np.broadcast_to(np.arange(codes, dtype=np.uint64), (count, codes)).ravel()
    even = uniform(np.full_like(key, seed), level, key, number)
    return (-np.log(-np.log(even))).reshape(count, codes).astype(np.float32)


def straight_through(logits: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
    """Sampled one-hot weights [B, K, codes] with the gradient of the soft sample (arXiv 1611.01144), for training."""
    even = torch.rand(logits.shape, generator=generator, dtype=logits.dtype, device=logits.device)
    noise = -torch.log(-torch.log(even.clamp(min=torch.finfo(logits.dtype).tiny, max=1 - 1e-7)))
    soft = torch.softmax((logits + noise) / temperature, dim=2)
    hard = F.one_hot(soft.argmax(dim=2), logits.shape[2]).to(soft)
    return hard + soft - soft.detach()
