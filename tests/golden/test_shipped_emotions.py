"""What anyone can see in the motion of the shipped `deeptalk-compact`, in bounds that no processor's rounding moves.

Frames themselves are not kept: where two codes are nearly as likely, another order of sums takes the other one.
"""

import numpy as np
import pytest

from facestream.acting import ActingChange, Sampling
from facestream.audio.files import read_audio
from facestream.cli.demo import EXAMPLE
from facestream.curves import INDEX, sided
from facestream.engines.bundle import shipped_folder
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from tests.golden.test_shipped_frames import lip_gap, share_shut

EMOTIONS = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt")


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline("deeptalk-compact")


@pytest.fixture(scope="module")
def in_emotion(pipeline: Pipeline) -> dict[str, Float32]:
    """Weights `[F, 52]` of the example clip under each preset."""
    return {name: weights_of(pipeline, ActingChange(emotion=name)) for name in EMOTIONS}


def weights_of(pipeline: Pipeline, acting: ActingChange, seed: int = 1) -> Float32:
    samples, rate_hz = read_audio(EXAMPLE)
    still = PolishOptions(blinks=False, gaze=False)
    options = StreamOptions(sample_rate_hz=rate_hz, seed=seed, polish=still, acting=acting)
    return animate(samples, options, pipeline).weights


def test_lips_meet_on_p_b_m_in_every_emotion_and_not_just_anywhere(in_emotion: dict[str, Float32]) -> None:
    shut = np.array([share_shut(weights) for weights in in_emotion.values()])
    assert shut.min() >= 0.8
    elsewhere = np.array([[share_shut(weights, shift_s) for shift_s in (-0.25, 0.2, 0.3)]
                          for weights in in_emotion.values()])  # fmt: skip
    assert elsewhere.mean() < shut.mean() - 0.3


def test_each_emotion_moves_the_face_as_people_do(in_emotion: dict[str, Float32]) -> None:
    def shown(emotion: str, *names: str) -> float:
        return float(np.mean([in_emotion[emotion][:, index].mean() for name in names for index in sided(name)]))

    assert shown("happy", "mouthSmile") > shown("neutral", "mouthSmile") + 0.1
    assert shown("angry", "browDown") > shown("neutral", "browDown") + 0.1
    assert shown("disgusted", "noseSneer") > shown("neutral", "noseSneer") + 0.1
    assert shown("surprised", "eyeWide") > shown("neutral", "eyeWide") + 0.05
    inner = {name: float(weights[:, INDEX["browInnerUp"]].mean()) for name, weights in in_emotion.items()}
    assert inner["sad"] > inner["neutral"] + 0.1
    assert inner["sad"] > inner["angry"] + 0.1


def test_the_likeliest_motion_repeats_and_samples_differ_by_their_seed(pipeline: Pipeline) -> None:
    sampled = ActingChange(emotion="happy", codes=Sampling())
    first = weights_of(pipeline, sampled, seed=1)
    assert np.array_equal(first, weights_of(pipeline, sampled, seed=1))
    assert np.abs(first - weights_of(pipeline, sampled, seed=2)).mean() > 0.005
    likeliest = ActingChange(emotion="happy")
    assert np.array_equal(weights_of(pipeline, likeliest, seed=1), weights_of(pipeline, likeliest, seed=2))


def test_the_mouth_opens_and_rests(in_emotion: dict[str, Float32]) -> None:
    for weights in in_emotion.values():
        assert np.percentile(lip_gap(weights), 95) > 0.1
        np.testing.assert_array_equal(weights[-1], 0)


def test_bundles_are_small() -> None:
    def size(name: str) -> int:
        return sum(path.stat().st_size for path in (shipped_folder() / name).iterdir())

    assert size("deeptalk-compact") <= 12e6
    assert sum(path.stat().st_size for path in shipped_folder().rglob("*") if path.is_file()) <= 40e6
