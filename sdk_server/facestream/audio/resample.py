"""Any rate to 16 kHz, sample by sample exact, with 2 ms of delay.

Why not soxr: its streams hold back whole filter blocks. Measured with soxr 1.1.0 (2026-11-21), worst delay at 20 ms
chunks: 37 ms from 48 kHz and 115 ms from 8 kHz at HQ, 20 and 61 ms at LQ; QQ has none, but does not filter aliases.
A live mouth can not wait that long. This is the textbook polyphase filter (Kaiser-windowed sinc); output sample `n`
lies at exactly `n / 16000` seconds, so positions map without rounding, however the input was cut.
"""

from functools import lru_cache
from math import gcd

import numpy as np

from facestream.types import Float32

MODEL_RATE_HZ = 16_000
HALF_WIDTH_S = 0.002
"""Filter length to each side: the delay. With beta 7 the stop band lies below -70 dB, 1.1 kHz past the edge."""
_KAISER_BETA = 7.0
_EDGE = 0.94
"""Middle of the transition as a share of the lower Nyquist frequency: 7.5 kHz when coming down to 16 kHz."""


def resampler_delay_samples(rate_hz: int) -> int:
    """Input samples that must follow a moment before its 16 kHz sample can be computed."""
    return 0 if rate_hz == MODEL_RATE_HZ else _half_taps(rate_hz)


def resampled_length(sample_count: int, rate_hz: int) -> int:
    """16 kHz samples that belong to `sample_count` input samples."""
    return -(-sample_count * MODEL_RATE_HZ // rate_hz)


class Resampler:
    """Streaming conversion of one channel to 16 kHz. Chunk borders leave no trace in the output."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        divisor = gcd(rate_hz, MODEL_RATE_HZ)
        self._up = MODEL_RATE_HZ // divisor
        self._down = rate_hz // divisor
        self._half = resampler_delay_samples(rate_hz)
        self._pending = np.zeros(self._half, np.float32)
        """Input from sample `_first - half` on; before the stream lies silence."""
        self._first = 0
        self._received = 0
        self._produced = 0

    def push(self, samples: Float32) -> Float32:
        """Take input `[T]`, give the 16 kHz samples that became computable."""
        self._received += samples.size
        if self._half == 0:
            self._produced += samples.size
            return samples
        self._pending = np.concatenate((self._pending, samples))
        # Output n is centred on input floor(n * down / up) and needs `half` samples after it.
        computable = -(-(self._received - self._half) * self._up // self._down)
        return self._take(max(computable, self._produced))

    def flush(self) -> Float32:
        """The last samples, as if silence followed; the total is then `resampled_length(received)`."""
        if self._half == 0:
            return np.zeros(0, np.float32)
        self._pending = np.concatenate((self._pending, np.zeros(self._half, np.float32)))
        return self._take(resampled_length(self._received, self._rate_hz))

    def _take(self, end: int) -> Float32:
        if end == self._produced:
            return np.zeros(0, np.float32)
        ticks = np.arange(self._produced, end, dtype=np.int64) * self._down
        centre = ticks // self._up
        bank = _filter_bank(self._rate_hz)
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, bank.shape[1])
        # The window of centre c spans inputs c - half + 1 .. c + half; `_pending` begins at `_first - half`.
        windows = windows[centre - self._first + 1]
        output: Float32 = windows @ bank[0] if self._up == 1 else np.einsum("nt,nt->n", windows, bank[ticks % self._up])
        self._produced = end
        next_centre = end * self._down // self._up
        self._pending = self._pending[next_centre - self._first :]
        self._first = next_centre
        return output


def _half_taps(rate_hz: int) -> int:
    return int(np.ceil(HALF_WIDTH_S * rate_hz))


@lru_cache(maxsize=8)
def _filter_bank(rate_hz: int) -> Float32:
    """`[phases, 2 * half]`: row `p` gives the output that lies `p / phases` of an input sample past the centre."""
    phases = MODEL_RATE_HZ // gcd(rate_hz, MODEL_RATE_HZ)
    half = _half_taps(rate_hz)
    cutoff = _EDGE * min(1.0, MODEL_RATE_HZ / rate_hz)
    offsets = np.arange(-half + 1, half + 1)[None, :] - (np.arange(phases) / phases)[:, None]
    inside = np.clip(1.0 - (offsets / half) ** 2, 0.0, None)
    bank = cutoff * np.sinc(cutoff * offsets) * np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    bank /= bank.sum(axis=1, keepdims=True)  # a constant stays the same constant at every phase
    return bank.astype(np.float32)
