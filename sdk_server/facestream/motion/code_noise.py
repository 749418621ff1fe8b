"""Randomness of codes and of emotions: drawn by a stream's seed and the absolute index of the code, never by time.

Adding Gumbel noise times a temperature to logits and taking the largest draws from `softmax(logits / temperature)`;
noise of zero is the likeliest code. Windows that overlap meet the same noise at the same code.
"""

import numpy as np
import numpy.typing as npt

from facestream.polish.noise import Counter, normal, uniform
from facestream.types import Float32

TOP, BOTTOM = 0, 1
"""Lanes of the two levels of codes: they draw independently."""
_EMOTION = 30
"""Lanes 30 and 31: where in its spread an emotion lies."""

FORCED = np.float32(1e6)
"""Noise that no logit beats: it makes a code the one that is taken."""


def gumbel(seeds: Counter, level: int, first_codes: npt.NDArray[np.int64], count: int, codes: int) -> Float32:
    """Gumbel noise `[B, count, codes]` of the codes of each row from its own first one on."""
    index = (first_codes[:, None] + np.arange(count)).astype(np.uint64)
    shape = (len(seeds), count, codes)
    key = np.broadcast_to(index[:, :, None], shape).ravel()
    number = np.broadcast_to(np.arange(codes, dtype=np.uint64), shape).ravel()
    seed = np.broadcast_to(seeds[:, None, None], shape).ravel()
    even = uniform(seed, level, key, number)
    return (-np.log(-np.log(even))).reshape(shape).astype(np.float32)


def emotion_draw(seeds: Counter, width: int) -> Float32:
    """One standard normal direction `[B, width]` for each stream, the same for all its life."""
    shape = (len(seeds), width)
    number = np.broadcast_to(np.arange(width, dtype=np.uint64), shape).ravel()
    seed = np.broadcast_to(seeds[:, None], shape).ravel()
    return normal(seed, _EMOTION, np.zeros_like(number), number).reshape(shape).astype(np.float32)


def forced(chosen: npt.NDArray[np.int64], codes: int) -> Float32:
    """Noise `[B, K, codes]` under which the codes `[B, K]` are taken, whatever the logits."""
    noise = np.zeros((*chosen.shape, codes), np.float32)
    np.put_along_axis(noise, chosen[:, :, None], FORCED, axis=2)
    return noise
