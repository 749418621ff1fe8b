from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import CURVE_COUNT, INDEX, OPPOSED_PAIRS, sided
from facestream_models.corpus.conversation_face import conversation_face
from facestream_models.corpus.emotions import EMOTIONS, Act
from facestream_models.corpus.eye_motion import blink_starts, blinks, move_eyes
from facestream_models.corpus.head_motion import PITCH, ROLL, as_axis_angles, head_motion, head_speed
from facestream_models.corpus.prosody import Prosody
from facestream_models.corpus.speaking_style import style_of

STYLE = style_of("voice#0", 1)


def made_prosody(seed: int, seconds: float = 12.0) -> Prosody:
    """Syllables at random places with pitch and loudness, and two long pauses."""
    random = np.random.default_rng(seed)
    frames = round(seconds * 50)
    times = np.arange(frames) / 50
    phrases = ((1.0, seconds * 0.45), (seconds * 0.45 + 1.5, seconds - 1.0))
    loudness, pitch, accents = np.zeros(frames), np.zeros(frames), []
    for start, end in phrases:
        time = start + 0.1
        while time < end - 0.1:
            strength = random.uniform(0.2, 1.0)
            loudness = np.maximum(loudness, strength * np.exp(-0.5 * ((times - time) / 0.06) ** 2))
            pitch += 4.0 * strength * np.exp(-0.5 * ((times - time) / 0.08) ** 2)
            if strength > 0.6:
                accents.append((time, strength))
            time += random.uniform(0.15, 0.7)
    return Prosody(pitch, loudness > 0.1, loudness, np.array(accents).reshape(-1, 2), phrases)


def moved(prosody: Prosody, seed: int, emotion: str = "neutral", style=STYLE) -> np.ndarray:
    act = Act(EMOTIONS.index(emotion), 1.0)
    return head_motion(prosody, style, act, np.ones(len(prosody.times)), np.random.default_rng(seed))


def correlation(seeds: range, shift: int) -> float:
    """Mean correlation of smoothed head speed with loudness of the voice `shift` places on, within phrases."""
    found = []
    for seed in seeds:
        own, other = made_prosody(seed), made_prosody(seed + shift)
        kernel = np.ones(15) / 15
        speed = np.convolve(head_speed(moved(own, seed), 50), kernel, "same")
        loudness = np.convolve(other.loudness, kernel, "same")
        inside = other.loudness + own.loudness >= 0
        for start, end in own.phrases:
            part = inside & (own.times >= start + 0.2) & (own.times <= end - 0.2)
            found.append(np.corrcoef(speed[part], loudness[part])[0, 1])
    return float(np.mean(found))


def test_the_head_moves_with_its_own_voice_and_not_with_another() -> None:
    assert correlation(range(12), 0) > 0.3
    assert abs(correlation(range(12), 100)) < 0.1


def test_the_head_is_nearly_still_in_long_pauses() -> None:
    still, lively = [], []
    for seed in range(8):
        prosody = made_prosody(seed)
        speed = head_speed(moved(prosody, seed), 50)
        gap = prosody.phrases[0][1]
        pause = (prosody.times > gap + 0.7) & (prosody.times < gap + 1.2)
        still.append(speed[pause].mean())
        lively.append(speed[prosody.times > gap + 1.6].mean())
    assert np.mean(still) < 0.25 * np.mean(lively)


def test_amplitude_tempo_and_emotion_show_in_the_head() -> None:
    def spread(style) -> float:
        return float(np.mean([moved(made_prosody(n), n, style=style).std(axis=0).sum() for n in range(6)]))

    assert spread(replace(STYLE, head_amplitude=2.0)) == pytest.approx(
        4.0 * spread(replace(STYLE, head_amplitude=0.5)), rel=0.05
    )
    means = {
        name: np.rad2deg(np.mean([moved(made_prosody(n), n, name).mean(axis=0) for n in range(6)], axis=0))
        for name in ("neutral", "sad", "contempt")
    }
    # rotation vector: x is pitch, z is roll
    assert means["sad"][0] - means["neutral"][0] > 2.0
    side = STYLE.habitual_side
    assert side * (means["contempt"][2] - means["neutral"][2]) == pytest.approx(4.0, abs=1.0)


def test_angles_turn_about_the_named_axes() -> None:
    for column, axis in ((0, 1), (PITCH, 0), (ROLL, 2)):
        angles = np.zeros((1, 3))
        angles[0, column] = 0.2
        expected = np.zeros(3)
        expected[axis] = 0.2
        np.testing.assert_allclose(as_axis_angles(angles)[0], expected, atol=1e-12)


def test_speed_is_the_angle_turned_each_second() -> None:
    head = np.zeros((50, 3))
    head[:, 1] = np.linspace(0.0, 0.5, 50)
    np.testing.assert_allclose(head_speed(head, 50)[1:], 0.5 / 49 * 50, rtol=1e-9)


def test_blinks_keep_the_speakers_rate_and_prefer_phrase_ends() -> None:
    prosody = made_prosody(0, 60.0)
    prosody = replace(prosody, phrases=tuple((second + 0.2, second + 1.5) for second in range(0, 58, 2)))
    random = np.random.default_rng(0)
    starts = np.concatenate([blink_starts(prosody, 20.0, random) for _ in range(150)])
    assert len(starts) / 150 == pytest.approx(20.0, rel=0.1)
    ends = np.array([end for _, end in prosody.phrases])
    near = (np.abs(starts[:, None] - ends).min(axis=1) <= 0.15).mean()
    share = 0.3 * len(ends) / 60.0
    odds = near / (1.0 - near) * (1.0 - share) / share
    assert odds == pytest.approx(2.0, rel=0.25)
    # control: places that are nothing to speech attract no blinks
    elsewhere = (np.abs(starts[:, None] - (ends - 0.7)).min(axis=1) <= 0.15).mean()
    assert elsewhere / (1.0 - elsewhere) * (1.0 - share) / share < 1.2


def test_a_blink_shuts_the_eyes_for_a_fifth_of_a_second() -> None:
    prosody = made_prosody(1, 30.0)
    lid = blinks(prosody, STYLE, np.random.default_rng(2))
    assert lid.max() > 0.85
    assert 0.0 < (lid > 0.5).mean() < 0.15
    runs = np.diff(np.flatnonzero(np.diff((lid > 0.05).astype(int))))[::2]
    assert 8 <= np.median(runs) <= 16  # 160 to 320 ms


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_eyes_stay_possible(seed: int) -> None:
    random = np.random.default_rng(seed)
    prosody = made_prosody(seed, 5.0)
    face = np.zeros((len(prosody.times), CURVE_COUNT))
    face[:, sided("eyeLookDown")] = random.uniform(0.0, 0.2)
    face[:, sided("eyeWide")] = random.uniform(0.0, 0.6)
    seen = move_eyes(face, prosody, STYLE, random)
    assert seen.min() >= 0.0
    assert seen.max() <= 1.0
    for first, second in OPPOSED_PAIRS:
        assert np.minimum(seen[:, INDEX[first]], seen[:, INDEX[second]]).max() < 1e-6
    shut = seen[:, INDEX["eyeBlinkLeft"]] > 0.9
    assert (seen[shut][:, sided("eyeWide")] < 0.1).all()
    yaw = seen[:, INDEX["eyeLookOutLeft"]] - seen[:, INDEX["eyeLookInLeft"]]
    np.testing.assert_allclose(yaw, seen[:, INDEX["eyeLookInRight"]] - seen[:, INDEX["eyeLookOutRight"]], atol=1e-6)


def test_brows_rise_on_accents_by_the_speakers_gain() -> None:
    def lift(gain: float) -> float:
        style = replace(STYLE, brow_gain=gain, rest_brow=0.0)
        rises = []
        for seed in range(10):
            prosody = made_prosody(seed)
            added = conversation_face(prosody, style, np.random.default_rng(seed))[:, INDEX["browInnerUp"]]
            frames = (prosody.accents[:, 0] * 50).astype(int) + 8
            rises.append(added[np.minimum(frames, len(added) - 1)].mean())
        return float(np.mean(rises))

    assert lift(2.0) > 3.0 * max(lift(0.3), 0.01)
