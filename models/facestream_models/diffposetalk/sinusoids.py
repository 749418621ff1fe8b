"""The fixed table of sinusoids that tells step numbers and positions apart."""

import math

import torch
from torch import Tensor


def sinusoids(rows: int, width: int) -> Tensor:
    """`[rows, width]`: sine in even and cosine in odd columns, wavelengths from 2 pi to 10000 * 2 pi."""
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(rows)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(rows, width)
