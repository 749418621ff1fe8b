import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.audio.resample import (
    GROUP,
    Resampler,
    _filter_for,
    prepare_filter,
    resampled_length,
    resampler_delay_samples,
)
from facestream.types import Float32

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 144000]


def resampled(samples: Float32, rate_hz: int, cuts: list[int]) -> Float32:
    resampler = Resampler(rate_hz)
    pieces = [resampler.push(piece) for piece in np.split(samples, cuts)]
    return np.concatenate([*pieces, resampler.flush()])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([*RATES, 12347]),
    st.integers(0, 3000),
    st.lists(st.integers(0, 3000), max_size=8),
    st.integers(0, 99),
)
def test_cuts_leave_no_trace_and_length_is_exact(rate_hz: int, count: int, cuts: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, 0.2, count).astype(np.float32)
    whole = resampled(samples, rate_hz, [])
    assert whole.size == resampled_length(count, rate_hz)
    np.testing.assert_allclose(resampled(samples, rate_hz, sorted(min(cut, count) for cut in cuts)), whole, atol=1e-6)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_keeps_its_phase_level_and_place(rate_hz: int) -> None:
    tone_hz = 1000.0
    samples = np.sin(2 * np.pi * tone_hz * np.arange(rate_hz) / rate_hz).astype(np.float32)
    output = resampled(samples, rate_hz, [])
    expected = np.sin(2 * np.pi * tone_hz * np.arange(output.size) / 16000)
    np.testing.assert_allclose(output[400:-400], expected[400:-400], atol=2e-3)


@pytest.mark.parametrize("rate_hz", [22050, 24000, 44100, 48000])
def test_what_16_khz_can_not_hold_is_filtered_out(rate_hz: int) -> None:
    samples = np.sin(2 * np.pi * 9500.0 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    output = resampled(samples, rate_hz, [])[400:-400]
    assert np.abs(output).max() < 2e-3
    # the control: plain cubic interpolation, soxr's quickest, lets it through as an alias
    assert np.abs(soxr.resample(samples, rate_hz, 16000, "QQ")[400:-400]).max() > 0.1


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_speech_band_agrees_with_soxr_at_its_best(rate_hz: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, rate_hz)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(noise.size, 1 / rate_hz) > min(6500, 0.4 * rate_hz)] = 0
    samples = np.fft.irfft(spectrum, noise.size).astype(np.float32)
    ours, theirs = resampled(samples, rate_hz, []), soxr.resample(samples, rate_hz, 16000, "VHQ")
    error = (ours - theirs[: ours.size])[400:-400]
    assert np.sqrt(np.mean(error**2)) < 2e-3 * np.sqrt(np.mean(samples**2))


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_stated_delay_is_true(rate_hz: int) -> None:
    resampler = Resampler(rate_hz)
    delay = resampler_delay_samples(rate_hz)
    received = produced = 0
    for count in [1, 7, 441, 960, 33, 1, 1, 1, 1000]:
        produced += resampler.push(np.zeros(count, np.float32)).size
        received += count
        computable = resampled_length(max(received - delay, 0), rate_hz)
        assert produced >= (computable if rate_hz == 16000 else computable // GROUP * GROUP)


def test_no_delay_at_the_models_own_rate() -> None:
    assert resampler_delay_samples(16000) == 0
    assert resampler_delay_samples(48000) == 96


def test_groups_divide_every_hop() -> None:
    assert 320 % GROUP == 0


def test_a_filter_made_beforehand_is_the_filter_that_is_made_bit_by_bit() -> None:
    samples = np.random.default_rng(3).normal(0, 0.2, 4000).astype(np.float32)
    _filter_for.cache_clear()
    bit_by_bit = resampled(samples, 22050, [])
    _filter_for.cache_clear()
    prepare_filter(22050)
    made = dict(_filter_for(22050)._matrices)
    np.testing.assert_array_equal(resampled(samples, 22050, []), bit_by_bit)
    assert dict(_filter_for(22050)._matrices).keys() == made.keys()
    prepare_filter(16000)
