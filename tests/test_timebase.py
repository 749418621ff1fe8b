from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.timebase import FrameClock, FrameRate

rates = st.sampled_from([(24, 1), (25, 1), (30, 1), (30000, 1001), (50, 1), (60, 1), (60000, 1001), (90, 1)])
clocks = st.builds(
    lambda rate, hz: FrameClock(FrameRate(*rate), hz),
    rates,
    st.sampled_from([8000, 16000, 22050, 44100, 48000]),
)


@given(clocks, st.integers(0, 10**9))
def test_a_frame_belongs_to_the_first_sample_not_before_its_time(clock: FrameClock, index: int) -> None:
    sample = clock.sample_of(index)
    time = clock.time_of(index)
    assert Fraction(sample - 1, clock.sample_rate_hz) < time <= Fraction(sample, clock.sample_rate_hz)


@given(clocks, st.integers(0, 10**9))
def test_frames_until_counts_exactly_the_frames_before_a_sample(clock: FrameClock, sample: int) -> None:
    count = clock.frames_until(sample)
    assert count == 0 or clock.sample_of(count - 1) < sample
    assert clock.sample_of(count) >= sample


@given(clocks, st.integers(0, 10**6), st.integers(-1, 1))
def test_frames_until_is_exact_around_the_sample_of_a_frame(clock: FrameClock, index: int, offset: int) -> None:
    assert clock.frames_until(clock.sample_of(index) + offset) == (index + 1 if offset > 0 else index)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (30, 0), (-30, 1), (9, 1), (121, 1)])
def test_a_rate_out_of_range_names_value_and_limits(numerator: int, denominator: int) -> None:
    with pytest.raises(InvalidValue, match=rf"{numerator}/{denominator}.*10/1 and 120/1"):
        FrameRate(numerator, denominator)
