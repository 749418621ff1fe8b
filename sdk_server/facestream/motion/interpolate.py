"""Motion rows at the model's rate to frames at the client's, on exact rational times."""

from fractions import Fraction
from math import ceil, gcd

import numpy as np

from facestream.audio.resample import MODEL_RATE_HZ
from facestream.motion.base import Streamer
from facestream.timebase import FrameClock
from facestream.types import Float32


class MotionClock:
    """Where each frame of a stream lies between two motion rows.

    Frame `i` lies at motion row `(i * step + offset) / unit`; all three are integers, so nothing drifts and nothing
    depends on when it is asked. `first_sample` is the client's count of the first sample of audio.
    """

    def __init__(self, streamer: Streamer, clock: FrameClock, first_sample: int = 0) -> None:
        spacing = Fraction(streamer.hop_samples, streamer.motions_per_hop)
        step = Fraction(MODEL_RATE_HZ * clock.rate.denominator, clock.rate.numerator) / spacing
        start = Fraction(first_sample * MODEL_RATE_HZ, clock.sample_rate_hz) / spacing
        offset = Fraction(streamer.lookahead_samples) / spacing - 1 - start
        self._unit = step.denominator * offset.denominator // gcd(step.denominator, offset.denominator)
        self._step = int(step * self._unit)
        self._offset = int(offset * self._unit)
        self._motions_per_hop = streamer.motions_per_hop
        self._lookahead_hops = Fraction(streamer.lookahead_samples, streamer.hop_samples)

    def position(self, frame_index: int) -> tuple[int, float]:
        """Motion row before the frame and the share of the way to the next one, 0..1.

        With a look-ahead under one hop, frames at the very start lie before the first row; they take its value.
        """
        position = frame_index * self._step + self._offset
        if position <= 0:
            return 0, 0.0
        row, rest = divmod(position, self._unit)
        return row, rest / self._unit

    def frames_ready(self, hop_count: int) -> int:
        """End of the frames that the first `hop_count` hops give (an index, counted from frame 0)."""
        if hop_count == 0:
            return 0
        last_row = hop_count * self._motions_per_hop - 1
        return (last_row * self._unit - self._offset) // self._step + 1

    def hops_for(self, frame_end: int) -> int:
        """Hops that all frames before `frame_end` need."""
        last = (frame_end - 1) * self._step + self._offset
        return max(-(-last // self._unit), 0) // self._motions_per_hop + 1

    def latency_hops(self) -> Fraction:
        """Audio that must follow a frame's exact moment before it can be made: the largest over all frames.

        A frame waits for the last row of the first hop that reaches it, up to one hop past the look-ahead.
        """
        # Positions past a hop's last row, modulo one hop, walk the multiples of this stride, shifted by the offset.
        hop = self._motions_per_hop * self._unit
        stride = gcd(self._step, hop)
        smallest = (self._offset + self._unit - hop) % stride or stride
        longest_wait = hop - smallest  # 0 where every frame falls on the last row of a hop
        return self._lookahead_hops + Fraction(longest_wait, hop)


def client_latency_samples(hops: Fraction, hop_samples: int, sample_rate_hz: int, resampler_delay: int) -> int:
    """A latency in hops as whole samples of the client's audio, the resampler's delay included."""
    return ceil(hops * hop_samples * sample_rate_hz / MODEL_RATE_HZ) + resampler_delay


def interpolate(before: Float32, after: Float32, share: Float32) -> Float32:
    """Straight line between motion rows `[..., D]`; `share` is `[..., 1]`. A share of 0 gives `before` exactly."""
    return np.asarray(before + share * (after - before), np.float32)
