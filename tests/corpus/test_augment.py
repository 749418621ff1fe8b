import numpy as np
import pytest

from facestream_models.corpus.augment import WARPS, Augmenter, band_frequencies, noise_waveform, warp_matrices
from facestream_models.encoders.mel import POWER_FLOOR

BANDS = 64


def tone(hertz):
    power = np.zeros((1, 10, BANDS), np.float32)
    power[:, :, np.argmin(np.abs(band_frequencies(BANDS) - hertz))] = 1.0
    return power


@pytest.mark.parametrize("number", [0, len(WARPS) // 2, len(WARPS) - 1])
def test_a_warp_moves_a_tone_by_its_factor(number):
    moved = (tone(2000.0) @ warp_matrices(BANDS)[number])[0, 0]
    centre = (moved * band_frequencies(BANDS)).sum() / moved.sum()
    assert centre == pytest.approx(2000.0 * WARPS[number], rel=0.05)


def test_power_stays_finite_and_above_the_floor():
    random = np.random.default_rng(0)
    augment = Augmenter(BANDS, random)
    speech = random.gamma(1.0, 1e-3, (6, 80, BANDS)).astype(np.float32)
    noise = random.gamma(1.0, 1.0, (6, 80, BANDS)).astype(np.float32)
    for power in (augment(speech, noise), augment.alone(noise), augment(np.zeros_like(speech), noise)):
        assert power.dtype == np.float32
        assert power.shape == speech.shape
        assert np.isfinite(power).all()
        assert power.min() >= POWER_FLOOR * 0.999


def test_reverberation_only_looks_back():
    augment = Augmenter(BANDS, np.random.default_rng(0))
    row = np.zeros((50, BANDS), np.float32)
    row[20] = 1.0
    heard = augment._reverberate(row)
    assert np.all(heard[:20] == 0.0)
    assert np.all(np.diff(heard[21:, 0]) < 0.0)


def test_noise_is_as_long_as_asked_and_differs():
    random = np.random.default_rng(0)
    waves = [noise_waveform(0.5, random) for _ in range(12)]
    assert all(len(wave) == 8000 and np.isfinite(wave).all() and 0.5 < np.abs(wave).max() <= 1.0 for wave in waves)
    assert len({wave.tobytes() for wave in waves}) == 12
