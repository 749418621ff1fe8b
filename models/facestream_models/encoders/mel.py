"""Causal log-mel features of 16 kHz audio, as matrix products so that they live inside the exported graph.

Window 25 ms (Hann), hop 10 ms; frame i ends at sample 160 * (i + 1) and has heard nothing later. Bands are
triangles on the HTK mel scale, 60-7600 Hz. Power is scaled so that a full-scale sine is about 1 in its band, and
floored at -90 dB before the logarithm.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

SAMPLE_RATE = 16_000
WINDOW = 400
HOP = 160
MIDDLE = WINDOW // 2
"""Around this sample of a window it is even; what the first sample would be paired with lies outside."""
BLOCK = 80
"""Samples that windows and hops are whole numbers of, so that framing moves blocks and not samples."""
TAIL = WINDOW - HOP
"""Samples that the next call needs again: the state of a stream."""

TRANSFORM = 512
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
POWER_FLOOR = 1e-9
FRAMES_PER_STEP = 2
"""Mel frames of one 20 ms network step."""


def mel_matrix(bands: int) -> NDArray[np.float64]:
    """Triangular filters `[TRANSFORM / 2 + 1, bands]`, each of unit peak."""

    def to_mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))

    edges = np.linspace(to_mel(LOWEST_HZ), to_mel(HIGHEST_HZ), bands + 2)
    bins = to_mel(np.arange(TRANSFORM // 2 + 1) * SAMPLE_RATE / TRANSFORM)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # The lowest bands are narrower than one bin and may fall between two: they take their nearest bin.
    nearest = np.argmin(np.abs(bins - edges[1:-1]), axis=0)
    empty = filters.sum(axis=0) < 0.5
    filters[nearest[empty], np.flatnonzero(empty)] = 1.0
    return filters


class MelPower(nn.Module):
    """Samples to mel band power: `pcm` [B, 160 * n] and `tail` [B, TAIL] -> power [B, n, bands] and next tail."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        filters = mel_matrix(bands)
        used = np.flatnonzero(filters.sum(axis=1) > 0)
        # The window is even around its middle, and power does not ask where a wave begins. Counted from there, cosines
        # need only the sum of what lies as far before it and behind it, sines the difference: half the products.
        window = np.hanning(WINDOW + 1)[:WINDOW]
        scaled = 2.0 / window.sum() * window[MIDDLE:]
        scaled[0] *= 0.5  # the middle stands in the sum twice
        angle = 2.0 * math.pi * np.outer(np.arange(WINDOW - MIDDLE), used) / TRANSFORM
        transform = scaled[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
        self.register_buffer("transform", torch.tensor(transform, dtype=torch.float32), persistent=False)
        self.register_buffer("filters", torch.tensor(filters[used], dtype=torch.float32), persistent=False)
        self.transform: Tensor
        self.filters: Tensor

    def forward(self, pcm: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
        extended = torch.cat([tail, pcm], dim=1)  # [B, 240 + 160 n]
        blocks = extended.reshape(extended.shape[0], -1, BLOCK)  # [B, 3 + 2 n, 80]
        first = torch.arange(0, blocks.shape[1] - WINDOW // BLOCK + 1, HOP // BLOCK, device=pcm.device)
        places = first[:, None] + torch.arange(WINDOW // BLOCK, device=pcm.device)
        frames = blocks.index_select(1, places.flatten()).reshape(extended.shape[0], -1, WINDOW)
        behind, before = frames[:, :, MIDDLE:], frames[:, :, 1 : MIDDLE + 1].flip(2)
        cosines, sines = self.transform.chunk(2, dim=1)
        real, imaginary = (behind + before) @ cosines, (behind - before) @ sines
        power = (real * real + imaginary * imaginary) @ self.filters
        return power, extended[:, -TAIL:]


def log_features(power: Tensor) -> Tensor:
    """Mel power to network features, same shape: 0 at the floor (so that a fresh state means silence), 1 per 20 dB."""
    return torch.log(torch.clamp(power, min=POWER_FLOOR) / POWER_FLOOR) * (0.5 / math.log(10.0))
