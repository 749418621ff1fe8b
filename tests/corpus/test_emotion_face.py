from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX, sided
from facestream_models.corpus.emotion_face import (
    MOUTH_SCALES,
    PAUSE_POSES,
    POSES,
    draw_expression,
    sealed,
    strength_over_time,
    wear,
)
from facestream_models.corpus.emotional_checks import lip_gap
from facestream_models.corpus.emotions import EMOTIONS, Act
from facestream_models.corpus.prosody import Prosody
from facestream_models.corpus.speaking_style import style_of

STYLE = replace(style_of("voice#0", 1), habitual_side=1, expressiveness=1.0)
PARTED = [INDEX["jawOpen"], *sided("mouthUpperUp", "mouthLowerDown")]


def test_the_tables_name_curves_and_emotions_that_exist() -> None:
    assert set(POSES) == set(MOUTH_SCALES) == set(EMOTIONS)
    for table in (*POSES.values(), *PAUSE_POSES.values()):
        for curve in table:
            name = curve.partition("/")[0]
            assert name in ARKIT_NAMES or name + "Left" in ARKIT_NAMES


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 7), st.floats(0, 1), st.integers(0, 10_000), st.booleans())
def test_a_closure_wins_over_every_emotion(emotion: int, intensity: float, seed: int, speaking: bool) -> None:
    random = np.random.default_rng(seed)
    face = random.random((9, CURVE_COUNT)) * 0.5
    face[:, PARTED[1:]] = 0.0
    face[:, INDEX["mouthClose"]] = face[:, INDEX["jawOpen"]]
    expression = draw_expression(Act(emotion, intensity), STYLE, random)
    seal = np.linspace(0.0, 1.0, 9)
    worn = wear(face, expression, np.full(9, 1.2), np.full(9, float(speaking)), seal)
    assert worn.min() >= 0.0
    assert worn.max() <= 1.0
    assert lip_gap(worn)[-1] < 1e-9
    assert (worn[:, INDEX["mouthClose"]] <= worn[:, INDEX["jawOpen"]]).all()


def test_without_the_closure_rule_disgust_parts_the_lips() -> None:
    # The control of the test above.
    expression = draw_expression(Act(EMOTIONS.index("disgusted"), 1.0), STYLE, np.random.default_rng(0))
    worn = wear(np.zeros((3, CURVE_COUNT)), expression, np.ones(3), np.ones(3), np.zeros(3))
    assert lip_gap(worn).min() > 0.04


def test_rounding_shrinks_under_a_smile_and_not_under_a_frown() -> None:
    face = np.zeros((1, CURVE_COUNT))
    face[:, INDEX["mouthPucker"]] = 0.6
    one = np.ones(1)
    rounding = {}
    for name in ("happy", "sad"):
        poses = [draw_expression(Act(EMOTIONS.index(name), 1.0), STYLE, np.random.default_rng(n)) for n in range(40)]
        worn = [wear(face, pose, one, one, np.zeros(1))[0] for pose in poses]
        rounding[name] = np.mean([row[INDEX["mouthPucker"]] for row in worn])
        smile = np.mean([row[sided("mouthSmile")].mean() for row in worn])
        assert abs(rounding[name] - 0.6 * (1.0 - 0.35 * smile)) < 0.01
    assert rounding["happy"] < 0.54 < 0.59 < rounding["sad"]


def test_contempt_keeps_to_its_side_and_pauses_have_their_own_pose() -> None:
    left = draw_expression(Act(EMOTIONS.index("contempt"), 1.0), STYLE, np.random.default_rng(3)).pose
    right = draw_expression(
        Act(EMOTIONS.index("contempt"), 1.0), replace(STYLE, habitual_side=-1), np.random.default_rng(3)
    ).pose
    assert left[INDEX["mouthDimpleLeft"]] > left[INDEX["mouthDimpleRight"]] == 0.0
    assert right[INDEX["mouthDimpleRight"]] > right[INDEX["mouthDimpleLeft"]] == 0.0
    anger = draw_expression(Act(EMOTIONS.index("angry"), 1.0), STYLE, np.random.default_rng(3))
    blank = np.zeros((1, CURVE_COUNT))
    still = wear(blank, anger, np.ones(1), np.zeros(1), np.zeros(1))[0, sided("mouthPress")]
    talking = wear(blank, anger, np.ones(1), np.ones(1), np.zeros(1))[0, sided("mouthPress")]
    assert still.min() > 0.0
    assert talking.max() == 0.0


def test_neutral_adds_nothing() -> None:
    face = np.random.default_rng(0).random((4, CURVE_COUNT)) * 0.4
    face = sealed(face, np.zeros(4))
    expression = draw_expression(Act(0, 1.0), STYLE, np.random.default_rng(0))
    face[:, sided("mouthSmile", "mouthFrown")] = 0.0
    np.testing.assert_allclose(wear(face, expression, np.ones(4), np.ones(4), np.zeros(4)), face)


def test_the_apex_follows_loudness_by_a_fifth() -> None:
    loudness = np.concatenate([np.zeros(100), np.ones(100), np.zeros(100)])
    prosody = Prosody(np.zeros(300), np.ones(300, bool), loudness, np.zeros((0, 2)), ((0.0, 6.0),))
    strength = strength_over_time(np.ones(300), prosody)
    assert strength[150] > 1.1 > 0.95 > strength[20]
    assert strength.max() <= 1.2
    assert strength.min() >= 0.8
