"""Samples of one stream, addressed by their position; old ones are forgotten, gaps are silence."""

import numpy as np

from facestream.types import Float32

_SMALLEST = 16_384


class SampleRing:
    """Holds the samples from `start` (first one kept) to `end`. Not thread safe."""

    def __init__(self) -> None:
        self._buffer = np.zeros(_SMALLEST, np.float32)
        self._offset = 0
        self.start = 0
        self.end = 0

    @property
    def held(self) -> int:
        return self.end - self.start

    def append(self, samples: Float32) -> None:
        """Put samples behind the last one; the buffer grows when they do not fit."""
        room = self._reserve(samples.size)
        room[:] = samples

    def append_silence(self, count: int) -> None:
        room = self._reserve(count)
        room[:] = 0.0

    def read(self, position: int, out: Float32) -> None:
        """Copy the samples from `position` on into `out`; they must be held."""
        begin = self._offset + position - self.start
        out[:] = self._buffer[begin : begin + out.size]

    def forget_before(self, position: int) -> None:
        """Samples before `position` will not be read again."""
        self._offset += position - self.start
        self.start = position

    def _reserve(self, count: int) -> Float32:
        if self._offset + self.held + count > self._buffer.size:
            self._compact(count)
        begin = self._offset + self.held
        self.end += count
        return self._buffer[begin : begin + count]

    def _compact(self, count: int) -> None:
        """Move what is held to the front of a buffer twice as large as needed: each sample moves once on average."""
        kept = self._buffer[self._offset : self._offset + self.held]
        size = max(_SMALLEST, 2 * (self.held + count))
        if size <= self._buffer.size <= 4 * size:
            self._buffer[: kept.size] = kept.copy()
        else:
            buffer = np.zeros(size, np.float32)
            buffer[: kept.size] = kept
            self._buffer = buffer
        self._offset = 0
