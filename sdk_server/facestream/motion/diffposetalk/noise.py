"""The noise of sampling, keyed by the stream's seed, the diffusion step and the absolute frame.

So a frame draws the same numbers whatever batch, window or order it is computed in, and a stream that is computed
again gives the same motion. Numbers are made on the CPU, on any machine alike.
"""

import hashlib
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facestream.errors import InvalidValue
from facestream.polish.noise import normal

Noise32 = npt.NDArray[np.float32]
_LANES = 2
"""Lanes that one normal number takes."""


class Noise(Protocol):
    """Where a stream's noise comes from: the starting motion of a window, and fresh noise at each of its steps."""

    def start(self, first_frame: int, shape: tuple[int, int]) -> Noise32:
        """Noise `[L, D]` that the window from `first_frame` of the stream begins with."""
        ...

    def fresh(self, step: int, first_frame: int, shape: tuple[int, int]) -> Noise32:
        """Noise `[L, D]` to add after `step`."""
        ...


class CounterNoise:
    """Noise of one stream. `seed` is any integer of 64 bits; streams with different seeds are independent.

    `repeats` is a count of frames after which the starting noise comes again: the released procedure begins every
    window of a clip with the same noise, so there it is the window's length. Fresh noise never repeats.
    """

    def __init__(self, seed: int, repeats: int | None = None) -> None:
        if not 0 <= seed < 2**64:
            raise InvalidValue("seed", seed, "0 to 2**64 - 1")
        # Neighbouring seeds would share numbers between lanes; their digests do not.
        digest = hashlib.blake2b(seed.to_bytes(8, "little"), digest_size=8, person=b"diffusion").digest()
        self._seed = np.frombuffer(digest, "<u8").astype(np.uint64)
        self._repeats = repeats

    def start(self, first_frame: int, shape: tuple[int, int]) -> Noise32:
        frames = first_frame + np.arange(shape[0])
        return self._normal(0, frames if self._repeats is None else frames % self._repeats, shape[1])

    def fresh(self, step: int, first_frame: int, shape: tuple[int, int]) -> Noise32:
        return self._normal(_LANES * step, first_frame + np.arange(shape[0]), shape[1])

    def _normal(self, lane: int, frames: npt.NDArray[np.int64], components: int) -> Noise32:
        block = np.repeat(frames.astype(np.uint64), components)
        index = np.tile(np.arange(components, dtype=np.uint64), len(frames))
        values = normal(np.broadcast_to(self._seed, block.shape), lane, block, index)
        return values.reshape(len(frames), components).astype(np.float32)
