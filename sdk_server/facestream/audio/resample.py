"""Any rate to 16 kHz, sample by sample exact, with 2 ms of delay.

Why not soxr: its streams hold back whole filter blocks. Measured with soxr 1.1.0 (2026-11-21), worst delay at 20 ms
chunks: 37 ms from 48 kHz and 115 ms from 8 kHz at HQ, 20 and 61 ms at LQ; QQ has none, but does not filter aliases.
A live mouth can not wait that long. This is the textbook polyphase filter (Kaiser-windowed sinc); output sample `n`
lies at exactly `n / 16000` seconds, so positions map without rounding, however the input was cut.

Neighbouring outputs are made together, in groups of 32: one small matrix product. Groups divide every hop
of a model, so a hop never waits for a group.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np

from facestream.types import Float32

MODEL_RATE_HZ = 16_000
HALF_WIDTH_S = 0.002
"""Filter length to each side: the delay. With beta 7 the stop band lies below -70 dB, 1.1 kHz past the edge."""
_KAISER_BETA = 7.0
_EDGE = 0.94
"""Middle of the transition as a share of the lower Nyquist frequency: 7.5 kHz when coming down to 16 kHz."""

GROUP = 32
"""Output samples that are made together."""
_GROUPS_AT_ONCE = 512
"""A long push is filtered in parts: each output's window is copied, a hundred times its size."""


def resampler_delay_samples(rate_hz: int) -> int:
    """Input samples that must follow a moment before its 16 kHz sample can be computed."""
    return 0 if rate_hz == MODEL_RATE_HZ else ceil(HALF_WIDTH_S * rate_hz)


def resampled_length(sample_count: int, rate_hz: int) -> int:
    """16 kHz samples that belong to `sample_count` input samples."""
    return -(-sample_count * MODEL_RATE_HZ // rate_hz)


class Resampler:
    """Streaming conversion of one channel to 16 kHz. Chunk borders leave no trace in the output."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._filter = None if rate_hz == MODEL_RATE_HZ else _filter_for(rate_hz)
        self._received = 0
        self._groups_done = 0
        self._pending = np.zeros(0 if self._filter is None else self._filter.half, np.float32)
        """Input from sample `_first` on; before the stream lies silence."""
        self._first = -self._pending.size

    def push(self, samples: Float32) -> Float32:
        """Take input `[T]`, give the 16 kHz samples that became computable, in whole groups."""
        self._received += samples.size
        if self._filter is None:
            return samples
        self._pending = np.concatenate((self._pending, samples))
        return self._make(self._filter.groups_ready(self._received))

    def flush(self) -> Float32:
        """The last samples, as if silence followed; the total is then `resampled_length(received)`."""
        if self._filter is None:
            return np.zeros(0, np.float32)
        left = resampled_length(self._received, self._rate_hz) - self._groups_done * GROUP
        end = self._groups_done + -(-left // GROUP)
        self._pending = np.concatenate((self._pending, np.zeros(self._filter.inputs_for(end), np.float32)))
        return self._make(end)[:left]

    def _make(self, group_end: int) -> Float32:
        """Outputs of the groups up to `group_end`; forget the input that later ones do not need."""
        if self._filter is None or group_end <= self._groups_done:
            return np.zeros(0, np.float32)
        parts = []
        for first in range(self._groups_done, group_end, _GROUPS_AT_ONCE):
            groups = np.arange(first, min(first + _GROUPS_AT_ONCE, group_end))
            parts.append(self._filter.apply(groups, self._pending, self._first))
        self._groups_done = group_end
        needed = self._filter.window_start(group_end)
        self._pending = self._pending[needed - self._first :]
        self._first = needed
        return np.concatenate(parts)


class _Filter:
    """The filter of one rate: output `n` is centred on input `n * down / up`, `half` inputs reach in to each side."""

    def __init__(self, rate_hz: int) -> None:
        divisor = gcd(rate_hz, MODEL_RATE_HZ)
        self.up, self.down = MODEL_RATE_HZ // divisor, rate_hz // divisor
        self.half = resampler_delay_samples(rate_hz)
        self._cutoff = _EDGE * min(1.0, MODEL_RATE_HZ / rate_hz)
        self._span = (self.up - 1 + (GROUP - 1) * self.down) // self.up + 2 * self.half
        self._period = self.up // gcd(self.up, GROUP)
        """Groups after which the same matrix comes again."""
        self._matrices: dict[int, Float32] = {}

    def make_whole(self) -> None:
        """Make the matrices of every phase."""
        for group in range(self._period):
            self._matrix(group)

    def window_start(self, group: int) -> int:
        """First input sample that a group needs."""
        return group * GROUP * self.down // self.up - self.half + 1

    def inputs_for(self, group_end: int) -> int:
        """Inputs, from sample 0, that all groups before `group_end` need."""
        return (group_end * GROUP - 1) * self.down // self.up + self.half + 1

    def groups_ready(self, received: int) -> int:
        """Groups that so many inputs are enough for; the inverse of `inputs_for`."""
        outputs = -(-(received - self.half) * self.up // self.down)
        return max(outputs // GROUP, 0)

    def apply(self, groups: np.ndarray[tuple[int], np.dtype[np.int64]], pending: Float32, first: int) -> Float32:
        """Outputs `[len(groups) * GROUP]` of consecutive groups; `pending` begins with input `first`."""
        # A window is as long as the longest of any phase needs; the last input of some is met by a zero.
        padded = np.concatenate((pending, np.zeros(1, np.float32)))
        starts = groups * (GROUP * self.down) // self.up - (self.half - 1) - first
        # The bare constructor makes the same view as `sliding_window_view`, 15 us sooner.
        every_start = (padded.size - self._span + 1, self._span)
        windows = np.ndarray(every_start, np.float32, padded, strides=(4, 4))[starts]
        output = np.empty((groups.size, GROUP), np.float32)
        for place in range(min(self._period, groups.size)):
            np.matmul(
                windows[place :: self._period], self._matrix(int(groups[place])), out=output[place :: self._period]
            )
        return output.ravel()

    def _matrix(self, group: int) -> Float32:
        """`[span, GROUP]`: the window of a group times this is its outputs."""
        place = group % self._period
        if place not in self._matrices:
            ticks = place * GROUP * self.down % self.up + np.arange(GROUP) * self.down
            centre, phase = ticks // self.up, (ticks % self.up) / self.up
            offsets = np.arange(self._span)[:, None] - (self.half - 1) - centre - phase
            inside = np.clip(1.0 - (offsets / self.half) ** 2, 0.0, None)
            window = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA) * (np.abs(offsets) < self.half)
            matrix = self._cutoff * np.sinc(self._cutoff * offsets) * window
            matrix /= matrix.sum(axis=0)  # a constant stays the same constant at every phase
            self._matrices[place] = matrix.astype(np.float32)
        return self._matrices[place]


def prepare_filter(rate_hz: int) -> None:
    """Make the whole filter of a rate now, from any thread: for one like 143,999 Hz, with a phase for each output of a
    second, that takes seconds, which the first streams of the rate would else lose bit by bit.
    """
    if rate_hz != MODEL_RATE_HZ:
        _filter_for(rate_hz).make_whole()


@lru_cache(maxsize=8)
def _filter_for(rate_hz: int) -> _Filter:
    return _Filter(rate_hz)
