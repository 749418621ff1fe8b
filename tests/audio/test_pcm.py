import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.audio.pcm import PcmFormat
from facestream.errors import AudioError


@given(st.lists(st.integers(-32768, 32767), max_size=40), st.integers(1, 8))
def test_s16_is_scaled_to_full_scale_and_channels_are_averaged(values: list[int], channel_count: int) -> None:
    interleaved = np.array(values * channel_count, "<i2")
    decoded = PcmFormat("s16le", 16000, channel_count).decode(interleaved.tobytes())
    expected = interleaved.reshape(-1, channel_count).astype(np.float64).mean(axis=1) / 32768
    np.testing.assert_allclose(decoded, expected, atol=1e-6)
    assert decoded.dtype == np.float32


def test_f32_passes_through() -> None:
    samples = np.array([0.0, -1.0, 0.5, 1.5], "<f4")
    decoded = PcmFormat("f32le", 48000, 1).decode(samples.tobytes())
    np.testing.assert_array_equal(decoded, samples)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("s16le", 0, 1), "sample_rate_hz: got 0; allowed: 8000 to 144000"),
        (("s16le", 192000, 1), "sample_rate_hz: got 192000"),
        (("s16le", 16000, 0), "channel_count: got 0; allowed: 1 to 8"),
        (("s16le", 16000, 9), "channel_count: got 9; allowed: 1 to 8"),
        (("mp3", 16000, 1), "encoding: got mp3; allowed: s16le or f32le"),
    ],
)
def test_formats_out_of_range_name_the_field_and_the_limits(arguments: tuple[str, int, int], said: str) -> None:
    with pytest.raises(AudioError, match=said):
        PcmFormat(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "channel_count", "size"), [("s16le", 1, 3), ("s16le", 2, 6), ("f32le", 1, 7), ("f32le", 3, 16)]
)
def test_odd_byte_counts_are_refused(encoding: str, channel_count: int, size: int) -> None:
    with pytest.raises(AudioError, match=f"got {size} bytes; allowed: a multiple of"):
        PcmFormat(encoding, 16000, channel_count).decode(bytes(size))  # type: ignore[arg-type]


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 30000.0])
def test_samples_that_are_not_audio_are_refused_with_their_place(poison: float) -> None:
    samples = np.zeros(50, "<f4")
    samples[31] = poison
    with pytest.raises(AudioError, match="at sample 31; allowed: finite samples"):
        PcmFormat("f32le", 16000, 1).decode(samples.tobytes())


def test_an_empty_chunk_is_no_audio_and_no_error() -> None:
    assert PcmFormat("f32le", 16000, 2).decode(b"").size == 0
