import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus import negatives
from facestream_models.corpus.electronic import electronic_music


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(negatives.NOISES)), st.integers(0, 2**32 - 1), st.floats(1.0, 3.0))
def test_noises_have_their_length_and_a_sane_level(kind: str, seed: int, seconds: float) -> None:
    sound = negatives.noise(kind, seconds, np.random.default_rng(seed))
    assert len(sound) == round(seconds * 16_000)
    assert np.all(np.isfinite(sound))
    assert 0.009 < np.max(np.abs(sound)) < 0.9


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_falls_by_three_decibels_an_octave_a_slope(slope: float) -> None:
    power = np.abs(np.fft.rfft(negatives.coloured_noise(1 << 16, slope, np.random.default_rng(1)))) ** 2
    frequency = np.fft.rfftfreq(1 << 16, 1 / 16_000)
    bands = [power[(frequency > low) & (frequency < 2 * low)].mean() for low in (250, 2000)]
    assert 10 * np.log10(bands[0] / bands[1]) == pytest.approx(9.03 * slope, abs=1.0)


def test_songs_are_well_formed_midi_files() -> None:
    song = negatives.random_song(10.0, np.random.default_rng(2))
    assert song[:4] == b"MThd"
    assert song[14:18] == b"MTrk"
    assert int.from_bytes(song[18:22], "big") == len(song) - 22
    assert song.endswith(b"\xff\x2f\x00")


@pytest.mark.skipif(
    not (shutil.which("fluidsynth") and negatives.SOUNDFONT.is_file()), reason="FluidSynth or its soundfont is missing"
)
@pytest.mark.slow
def test_music_sounds() -> None:
    sound = negatives.music(4.0, np.random.default_rng(3))
    assert len(sound) == 64_000
    assert np.max(np.abs(sound)) > 0.02
    assert np.sqrt(np.mean(sound[16_000:48_000] ** 2)) > 1e-4


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_electronic_pieces_sound_all_through_and_repeat_from_their_seed(seed: int) -> None:
    sound = electronic_music(3.0, np.random.default_rng(seed))
    assert len(sound) == 48_000
    assert np.all(np.isfinite(sound))
    assert np.abs(sound).max() == pytest.approx(1.0)
    assert np.mean(sound.reshape(3, -1) ** 2, axis=1).max() > 1e-4
    assert np.array_equal(sound, electronic_music(3.0, np.random.default_rng(seed)))
    assert not np.array_equal(sound, electronic_music(3.0, np.random.default_rng(seed + 1)))
