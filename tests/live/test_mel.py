import numpy as np
import pytest
import torch

from facestream_models.encoders.mel import HOP, TAIL, WINDOW, MelPower, log_features, mel_matrix


def test_frames_are_those_of_a_plain_short_time_transform():
    mel = MelPower(64)
    audio = np.random.default_rng(0).standard_normal(HOP * 12).astype(np.float32)
    power, tail = mel(torch.from_numpy(audio)[None], torch.zeros(1, TAIL))
    padded = np.concatenate([np.zeros(TAIL, np.float32), audio])
    window = np.hanning(WINDOW + 1)[:WINDOW]
    for number in range(12):
        frame = padded[HOP * number : HOP * number + WINDOW] * window * 2 / window.sum()
        expected = np.abs(np.fft.rfft(frame, 512)) ** 2 @ mel_matrix(64)
        np.testing.assert_allclose(power[0, number], expected, rtol=2e-3, atol=1e-6)
    np.testing.assert_array_equal(tail[0], audio[-TAIL:])


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 5000.0])
def test_a_full_scale_sine_has_about_unit_power_in_its_band(hertz):
    sine = torch.sin(2 * torch.pi * hertz * torch.arange(16_000) / 16_000)[None]
    power, _ = MelPower(64)(sine, torch.zeros(1, TAIL))
    assert 0.5 < float(power[0, 50].max()) < 1.6


def test_digital_silence_is_a_feature_of_zero():
    power, _ = MelPower(64)(torch.zeros(1, 640), torch.zeros(1, TAIL))
    assert float(log_features(power).abs().max()) == 0.0


@pytest.mark.parametrize("bands", [40, 64, 80])
def test_every_band_hears_something(bands):
    assert (mel_matrix(bands).sum(axis=0) > 0.4).all()
