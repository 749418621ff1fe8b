from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.motion.interpolate import MotionClock, interpolate
from facestream.motion.live import LiveStreamer
from facestream.timebase import FrameClock, FrameRate

_RATES = st.sampled_from([(24, 1), (24000, 1001), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1)])
_MOTIONS = st.integers(1, 4)
_SAMPLE_RATES = st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000])


def made(
    rate: tuple[int, int], sample_rate_hz: int, lookahead: int, first_sample: int, motions: int
) -> tuple[MotionClock, FrameClock]:
    clock = FrameClock(FrameRate(*rate), sample_rate_hz)
    return MotionClock(LiveStreamer(320 * motions, lookahead, motions), clock, first_sample), clock


@given(_RATES, _SAMPLE_RATES, st.integers(0, 1280), st.integers(0, 10**7), _MOTIONS, st.integers(0, 500))
def test_positions_are_exact(
    rate: tuple[int, int], sample_rate_hz: int, lookahead: int, first: int, motions: int, ahead: int
) -> None:
    motion, clock = made(rate, sample_rate_hz, lookahead, first, motions)
    index = clock.frames_until(first) + ahead
    seconds = Fraction(index * rate[1], rate[0]) - Fraction(first, sample_rate_hz)
    exact = max((seconds * 16000 + lookahead) / 320 - 1, Fraction(0))
    row, share = motion.position(index)
    assert row == exact.numerator // exact.denominator
    assert abs(share - float(exact - row)) < 1e-12


@given(_RATES, _SAMPLE_RATES, st.integers(0, 1280), st.integers(0, 10**7), _MOTIONS, st.integers(1, 500))
def test_frames_ready_and_hops_for_are_inverse(
    rate: tuple[int, int], sample_rate_hz: int, lookahead: int, first: int, motions: int, hops: int
) -> None:
    motion, _ = made(rate, sample_rate_hz, lookahead, first, motions)
    end = motion.frames_ready(hops)
    assert motion.hops_for(end) <= hops
    assert motion.hops_for(end + 1) > hops
    row, share = motion.position(end - 1)
    assert row + (share > 0) <= hops * motions - 1


@given(_RATES, _SAMPLE_RATES, st.integers(320, 1280), st.integers(0, 10**6), _MOTIONS)
def test_the_latency_is_the_longest_wait_of_any_frame(
    rate: tuple[int, int], sample_rate_hz: int, lookahead: int, first: int, motions: int
) -> None:
    motion, clock = made(rate, sample_rate_hz, lookahead, first, motions)
    hop = 320 * motions
    waits = []
    for index in range(clock.frames_until(first), clock.frames_until(first) + 400):
        seconds = Fraction(index * rate[1], rate[0]) - Fraction(first, sample_rate_hz)
        waits.append(motion.hops_for(index + 1) - seconds * 16000 / hop)
    assert max(waits) <= motion.latency_hops()
    if rate[1] == 1:  # 400 frames walk through every place between two hops
        assert max(waits) == motion.latency_hops()
    assert motion.latency_hops() < Fraction(lookahead, hop) + 1


def test_latency_at_30_frames_a_second_is_the_look_ahead_and_what_is_left_of_a_hop() -> None:
    single, _ = made((30, 1), 16000, 1280, 0, 1)
    assert ceil(single.latency_hops() * 320) == 1280 + 214
    double, _ = made((30, 1), 16000, 960, 0, 2)
    assert ceil(double.latency_hops() * 640) == 960 + 534


def test_a_line_between_rows() -> None:
    before, after = np.array([[0.0, 1.0]], np.float32), np.array([[1.0, 3.0]], np.float32)
    np.testing.assert_array_equal(interpolate(before, after, np.array([[0.25]], np.float32)), [[0.25, 1.5]])
    np.testing.assert_array_equal(interpolate(before, after, np.array([[0.0]], np.float32)), before)
