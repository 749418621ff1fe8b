"""Motion rows at 50 Hz to frames at the client's rate, on exact rational times."""

from fractions import Fraction
from math import ceil, gcd

import numpy as np

from facestream.audio.resample import MODEL_RATE_HZ
from facestream.motion.base import Streamer
from facestream.timebase import FrameClock
from facestream.types import Float32


class MotionClock:
    """Where each frame of a stream lies between two motion rows.

    Frame `i` lies at hop position `(i * step + offset) / unit`; all three are integers, so nothing drifts and nothing
    depends on when it is asked. `first_sample` is the client's count of the first sample of audio.
    """

    def __init__(self, streamer: Streamer, clock: FrameClock, first_sample: int = 0) -> None:
        hop = streamer.hop_samples
        step = Fraction(MODEL_RATE_HZ * clock.rate.denominator, clock.rate.numerator * hop)
        start = Fraction(first_sample * MODEL_RATE_HZ, clock.sample_rate_hz * hop)
        offset = Fraction(streamer.lookahead_samples, hop) - 1 - start
        self._unit = step.denominator * offset.denominator // gcd(step.denominator, offset.denominator)
        self._step = int(step * self._unit)
        self._offset = int(offset * self._unit)
        self._lookahead_hops = Fraction(streamer.lookahead_samples, hop)

    def position(self, frame_index: int) -> tuple[int, float]:
        """Hop before the frame and the share of the way to the next one, 0..1.

        With a look-ahead under one hop, frames at the very start lie before the first row; they take its value.
        """
        position = frame_index * self._step + self._offset
        if position <= 0:
            return 0, 0.0
        hop, rest = divmod(position, self._unit)
        return hop, rest / self._unit

    def frames_ready(self, hop_count: int) -> int:
        """End of the frames that the first `hop_count` motion rows give (an index, counted from frame 0)."""
        if hop_count == 0:
            return 0
        return ((hop_count - 1) * self._unit - self._offset) // self._step + 1

    def hops_for(self, frame_end: int) -> int:
        """Motion rows that all frames before `frame_end` need."""
        last = (frame_end - 1) * self._step + self._offset
        return max(-(-last // self._unit), 0) + 1

    def latency_hops(self) -> Fraction:
        """Audio that must follow a frame's exact moment before it can be made: the largest over all frames.

        A frame waits for the first row at or after it, up to one hop past the look-ahead.
        """
        # Positions modulo one hop walk the multiples of this stride, shifted by the offset.
        stride = gcd(self._step, self._unit)
        smallest = self._offset % stride or stride
        longest_wait = self._unit - smallest  # 0 where every frame falls on a row
        return self._lookahead_hops + Fraction(longest_wait, self._unit)


def client_latency_samples(hops: Fraction, hop_samples: int, sample_rate_hz: int, resampler_delay: int) -> int:
    """A latency in hops as whole samples of the client's audio, the resampler's delay included."""
    return ceil(hops * hop_samples * sample_rate_hz / MODEL_RATE_HZ) + resampler_delay


def interpolate(before: Float32, after: Float32, share: Float32) -> Float32:
    """Straight line between motion rows `[..., D]`; `share` is `[..., 1]`. A share of 0 gives `before` exactly."""
    return np.asarray(before + share * (after - before), np.float32)
