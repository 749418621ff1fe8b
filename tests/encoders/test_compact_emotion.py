import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.encoders.compact_emotion import (
    CompactEmotionEncoder,
    CompactEmotionShape,
    Pitch,
    PitchSpectrum,
)

SPECTRUM = PitchSpectrum()
PITCH = Pitch(SPECTRUM.bins)


def heard(waveform: np.ndarray) -> torch.Tensor:
    return PITCH(SPECTRUM(emotion_waveform(torch.from_numpy(waveform.astype(np.float32))[None])))[0, 4:]


@settings(max_examples=20, deadline=None)
@given(st.floats(80.0, 480.0), st.integers(0, 2**32 - 1))
def test_the_pitch_of_a_voice_is_found_within_a_semitone(hertz: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    time = np.arange(16_000) / 16_000
    harmonics = np.arange(1, int(4000 / hertz) + 1)
    phases = random.uniform(0, 2 * np.pi, len(harmonics))
    voice = sum(np.sin(2 * np.pi * n * hertz * time + phase) / n for n, phase in zip(harmonics, phases, strict=True))
    said = heard(voice + 0.003 * random.normal(size=len(time)))
    found = 65.0 * 2.0 ** float(said[:, -2].median())
    assert abs(12 * np.log2(found / hertz)) < 1.0
    hiss = heard(random.normal(size=len(time)))
    assert float(said[:, -1].median()) > 3 * float(hiss[:, -1].median())


def test_features_do_not_change_with_loudness_and_know_the_whole() -> None:
    torch.manual_seed(0)
    encoder = CompactEmotionEncoder(CompactEmotionShape(channels=8, width=16)).eval()
    sound = torch.randn(2, 640 * 50)
    with torch.no_grad():
        usual, loud = (encoder(emotion_waveform(gain * sound)) for gain in (0.3, 3.0))
        torch.testing.assert_close(usual, loud, atol=1e-3, rtol=1e-3)
        sound[:, 640 * 40 :] *= torch.linspace(1, 0, 640 * 10)
        assert not torch.allclose(encoder(emotion_waveform(0.3 * sound))[:, :10], usual[:, :10], atol=1e-3)
    assert usual.shape == (2, 50, 16)
