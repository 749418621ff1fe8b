import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.encoders.compact_emotion import (
    PERIOD_BANDS,
    CompactEmotionEncoder,
    CompactEmotionShape,
    Pitch,
    PitchSpectrum,
    _tremor,
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


@settings(max_examples=6, deadline=None)
@given(st.floats(110.0, 300.0), st.integers(0, 2**32 - 1))
def test_breath_takes_the_period_from_high_bands_first(hertz: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    time = np.arange(16_000) / 16_000
    phase = 2 * np.pi * np.cumsum(hertz * 2.0 ** (0.1 * np.sin(2 * np.pi * time))) / 16_000
    buzz = sum(np.sin(n * phase) / n for n in range(1, int(7_000 / hertz)))
    breath = lfilter([1.0, -0.9], [1.0], random.normal(size=len(time)))  # the higher the louder
    encoder = CompactEmotionEncoder()

    def periodicity(voice: np.ndarray) -> torch.Tensor:
        sound = encoder.sound(emotion_waveform(torch.from_numpy(voice.astype(np.float32))[None]))
        return sound[0, 10:, -PERIOD_BANDS:].median(dim=0).values

    clear, breathy, noise = (periodicity(voice) for voice in (buzz, buzz + 0.1 * breath, breath))
    assert bool((clear > noise + 0.1).all())
    assert float(breathy[-1]) < 0.5 * float(clear[-1] + noise[-1])
    assert float(breathy[0]) > 0.9 * float(clear[0])


@settings(max_examples=15, deadline=None)
@given(st.floats(6.0, 8.0), st.integers(0, 2**32 - 1))
def test_tremor_is_told_from_melody(tremor_hz: float, seed: int) -> None:
    turn = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    time = torch.arange(200) / 50.0
    melody = 0.3 * torch.sin(2 * np.pi * 0.6 * time + turn)
    tremor = 0.05 * torch.sin(2 * np.pi * tremor_hz * time + turn)
    voiced = torch.ones(1, 200)
    calm, trembling = (_tremor(pitch[None], voiced) for pitch in (melody, melody + tremor))
    for before, after in zip(calm, trembling, strict=True):
        assert float(before) < 0.02
        assert float(after) > 0.045


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


def test_without_channels_there_is_one_feature_of_the_whole() -> None:
    torch.manual_seed(0)
    encoder = CompactEmotionEncoder(CompactEmotionShape(channels=0, width=16, hidden=24)).eval()
    waveform = emotion_waveform(torch.randn(3, 640 * 50))
    with torch.no_grad():
        features = encoder(waveform)
        assert features.shape == (3, 1, 16)
        torch.testing.assert_close(features, encoder.features_of_whole(encoder.whole(encoder.sound(waveform))))
    assert not any(name.startswith(("enter", "halve")) for name, _ in encoder.named_parameters())


def spoken_tones(random: np.random.Generator) -> np.ndarray:
    """1.6 s of four voiced syllables that rise and fall in pitch and loudness."""
    time = np.arange(25_600) / 16_000
    hertz = 140.0 * 2.0 ** (0.25 * np.sin(2 * np.pi * 1.1 * time + random.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(hertz) / 16_000
    voice = sum(np.sin(n * phase) / n for n in range(1, 20))
    loudness = np.abs(np.sin(2 * np.pi * 1.25 * time)) ** 0.7
    return (loudness * voice + 1e-4 * random.normal(size=len(time))).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 40))
def test_silence_around_speech_does_not_change_its_manner(seed: int, silent_frames: int) -> None:
    encoder = CompactEmotionEncoder().eval()
    speech = spoken_tones(np.random.default_rng(seed))
    silence = 1e-4 * np.random.default_rng(seed + 1).normal(size=640 * silent_frames).astype(np.float32)

    def manner(audio: np.ndarray) -> torch.Tensor:
        sound = encoder.sound(emotion_waveform(torch.from_numpy(audio)[None]))
        mel = sound[:, :, encoder.bands : 2 * encoder.bands]
        return torch.cat([encoder.whole(sound)[0], mel.mean().reshape(1)])

    alone, within = manner(speech), manner(np.concatenate([silence, speech, silence]))
    # where the melody lies in the window, the two slopes over it, is told by the window
    told = torch.ones(len(alone), dtype=torch.bool)
    told[[2 * encoder.bands + 2, 2 * encoder.bands + 3, -1]] = False
    told[-1 - encoder.bands :] = False  # nothing here is spoken without voice but the edges of syllables
    assert float((alone - within)[told].abs().max()) < 0.12
    assert float(alone[-1] - within[-1]) > 0.25  # the mean level does change
