"""What streams remember of their last moments, in rings: a hop reads those that it hears and overwrites the oldest.

As plain arrays, a state is copied whole at every step, and moved on by what is new. In a ring nothing moves.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facestream.types import Float32

Numbers = npt.NDArray[np.intp]
"""One for each stream of a step: whose ring it has, how many hops that has taken."""

_SMALLEST = 64


@dataclass(frozen=True, slots=True)
class RingShape:
    """A ring of `length` moments `[width]`: a hop adds `added`, and hears `heard`, evenly spaced from the oldest on."""

    length: int
    width: int
    heard: int
    added: int


class Rings:
    """`layers` rings of one shape for each stream. Arrays of moments are in the order of time, one for each layer.

    Threads may step different streams at the same time.
    """

    def __init__(self, shape: RingShape, layers: int) -> None:
        self.shape = shape
        self._heard = np.arange(shape.heard) * (shape.length // shape.heard)
        self._whole, self._added = np.arange(shape.length), np.arange(shape.added)
        self._layers = [np.zeros((_SMALLEST * shape.length, shape.width), np.float32) for _ in range(layers)]
        """Stream by stream, each one's ring."""
        self._lock = threading.Lock()

    def clear(self, slots: Numbers) -> None:
        """Nothing was heard there: zeros. The tables grow where they must."""
        with self._lock:
            self._grow(int(slots.max(initial=-1)) + 1)
            for layer in self._layers:
                layer.reshape(-1, self.shape.length, self.shape.width)[slots] = 0.0

    def heard(self, slots: Numbers, hops: Numbers) -> list[Float32]:
        """What the next hop hears, `[B, heard, width]`."""
        return self._read(self._places(slots, hops, self._heard))

    def whole(self, slots: Numbers, hops: Numbers) -> list[Float32]:
        """All that is remembered, `[B, length, width]`."""
        return self._read(self._places(slots, hops, self._whole))

    def add(self, slots: Numbers, hops: Numbers, moments: Sequence[Float32]) -> None:
        """Remember what a hop gave, `[B, added, width]`, in place of the oldest."""
        self._write(self._places(slots, hops, self._added), moments)

    def replace(self, slots: Numbers, hops: Numbers, moments: Sequence[Float32]) -> None:
        """All that is remembered once the rings have taken so many hops, `[B, length, width]`."""
        self._write(self._places(slots, hops, self._whole), moments)

    def _places(self, slots: Numbers, hops: Numbers, moments: Numbers) -> Numbers:
        """Where those moments lie `[B, M]`, counted from the oldest."""
        turned = (hops * self.shape.added)[:, None] + moments
        return np.asarray(slots[:, None] * self.shape.length + turned % self.shape.length, np.intp)

    def _read(self, places: Numbers) -> list[Float32]:
        with self._lock:
            # `clip` spares a copy behind the copy; the places are right
            return [layer.take(places, axis=0, mode="clip") for layer in self._layers]

    def _write(self, places: Numbers, moments: Sequence[Float32]) -> None:
        with self._lock:
            for layer, given in zip(self._layers, moments, strict=True):
                layer[places] = given.reshape(*places.shape, self.shape.width)

    def _grow(self, streams: int) -> None:
        capacity = len(self._layers[0]) // self.shape.length
        if streams > capacity:
            more = (max(streams, 2 * capacity) - capacity) * self.shape.length
            fresh = np.zeros((more, self.shape.width), np.float32)
            self._layers = [np.concatenate((layer, fresh)) for layer in self._layers]
