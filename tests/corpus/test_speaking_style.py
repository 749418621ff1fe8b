import numpy as np
import pytest
from tests.corpus.spoken import sentence

from facestream.curves import INDEX
from facestream_models.corpus.emotional_checks import lip_gap
from facestream_models.corpus.speaking_style import TRAITS, SpeakingStyle, speaker_of, style_of
from facestream_models.corpus.styled_speech import seal_of, styled_speech

RANGES = {
    "jaw_scale": (0.6, 1.4), "lip_scale": (0.7, 1.3), "rounding_gain": (0.7, 1.3), "brow_gain": (0.3, 2.0),
    "closure_press": (0.2, 0.5), "head_amplitude": (0.3, 2.5), "head_tempo": (0.7, 1.4), "blinks_per_minute": (8, 28),
}  # fmt: skip


def test_speakers_are_constant_and_differ() -> None:
    styles = [style_of(f"voice#{number}", 7) for number in range(100)]
    assert styles[3] == style_of("voice#3", 7)
    assert styles[3] != style_of("voice#3", 8)
    traits = np.stack([style.traits for style in styles])
    assert traits.shape == (100, len(TRAITS))
    for name, (low, high) in RANGES.items():
        column = traits[:, TRAITS.index(name)]
        assert low <= column.min() < low + 0.15 * (high - low)
        assert high >= column.max() > high - 0.15 * (high - low)
    unlike = np.corrcoef(traits.T)[np.triu_indices(len(TRAITS), 1)]
    assert np.abs(unlike).max() < 0.4


@pytest.mark.parametrize(
    ("voice", "speaker"), [("af_heart", "af_heart#1"), ("a*0.40+b*0.60", "b#1"), ("a*0.61+b*0.39", "a#1")]
)
def test_a_blend_speaks_as_the_voice_heard_most(voice: str, speaker: str) -> None:
    assert speaker_of(voice, 1) == speaker


def worn(style: SpeakingStyle, seed: int) -> np.ndarray:
    utterance = sentence(seed)
    ones = np.ones(len(seal_of(utterance)))
    return styled_speech(utterance, style, ones, ones, ones)


def test_every_style_closes_the_lips_and_a_wide_jaw_opens_more() -> None:
    jaws, traits = [], []
    for number in range(25):
        style = style_of(f"voice#{number}", 3)
        face = worn(style, 4)
        seal = seal_of(sentence(4))
        assert lip_gap(face)[seal > 0.999].max() < 1e-6
        assert face.max() <= 1.0
        jaws.append(face[:, INDEX["jawOpen"]].max())
        traits.append(style.jaw_scale)
    assert np.corrcoef(jaws, traits)[0, 1] > 0.9


def test_press_and_asymmetry_are_seen() -> None:
    style = style_of("voice#0", 3)
    pressed = {
        press: worn(SpeakingStyle(**{**style.__dict__, "closure_press": press}), 4)[:, INDEX["mouthPressLeft"]].max()
        for press in (0.2, 0.5)
    }
    assert pressed[0.5] == pytest.approx(0.5, abs=0.05)
    assert pressed[0.2] == pytest.approx(0.2, abs=0.02)
    leaning = worn(SpeakingStyle(**{**style.__dict__, "mouth_asymmetry": -0.2}), 4)
    lowered = leaning[:, [INDEX["mouthLowerDownLeft"], INDEX["mouthLowerDownRight"]]].mean(axis=0)
    assert lowered[1] == pytest.approx(1.5 * lowered[0], rel=0.01)
    assert leaning[:, INDEX["mouthRight"]].max() > 0.05
    assert leaning[:, INDEX["mouthLeft"]].max() == 0.0
