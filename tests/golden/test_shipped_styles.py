"""What anyone can see in the shipped `diffposetalk-compact`, in bounds that no processor's rounding moves."""

from typing import Any

import numpy as np
import pytest

from facestream.acting import ActingChange
from facestream.audio.files import read_audio
from facestream.cli.demo import EXAMPLE
from facestream.curves import INDEX, sided
from facestream.engines.bundle import shipped_folder
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream.types import Float32, Frames
from tests.golden.test_shipped_frames import lip_gap, share_shut

STYLES = ("still", "nodding", "reserved", "open", "stern", "smiling")
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline("diffposetalk-compact")


@pytest.fixture(scope="module")
def in_style(pipeline: Pipeline) -> dict[str, list[Frames]]:
    """The example clip in each style, with each seed."""
    return {name: [moved(pipeline, seed, style=name) for seed in SEEDS] for name in STYLES}


def moved(pipeline: Pipeline, seed: int = 1, **values: Any) -> Frames:
    samples, rate_hz = read_audio(EXAMPLE)
    acting = ActingChange(styling=StylingChange(**values))
    polish = PolishOptions(blinks=False, gaze=False)
    return animate(samples, StreamOptions(sample_rate_hz=rate_hz, seed=seed, polish=polish, acting=acting), pipeline)


def head_of(frames: Frames) -> Float32:
    assert frames.pose is not None
    return frames.pose.head


def turn_deg(frames: Frames) -> Float32:
    """How far the head is turned from straight ahead, degrees [F]."""
    return np.asarray(np.degrees(2.0 * np.arccos(np.clip(np.abs(head_of(frames)[:, 3]), 0.0, 1.0))), np.float32)


def test_lips_meet_on_p_b_m_in_every_style_and_not_just_anywhere(in_style: dict[str, list[Frames]]) -> None:
    takes = [take.weights for takes in in_style.values() for take in takes]
    shut = np.array([share_shut(weights) for weights in takes])
    assert shut.min() >= 0.8
    elsewhere = np.array([[share_shut(weights, shift_s) for shift_s in (-0.25, 0.2, 0.3)] for weights in takes])
    assert elsewhere.mean() < shut.mean() - 0.3


def test_each_style_shows_its_trait(in_style: dict[str, list[Frames]]) -> None:
    def mean(style: str, measure: Any) -> float:
        return float(np.mean([measure(take) for take in in_style[style]]))

    def smile(take: Frames) -> float:
        return float((take.weights[:, sided("mouthSmile")] - take.weights[:, sided("mouthFrown")]).mean())

    def jaw(take: Frames) -> float:
        return float(np.percentile(take.weights[:, INDEX["jawOpen"]], 95))

    assert mean("smiling", smile) > mean("stern", smile) + 0.1
    assert mean("open", jaw) > 1.3 * mean("reserved", jaw)
    assert mean("nodding", lambda take: turn_deg(take).std()) > 4.0 * mean("still", lambda take: turn_deg(take).std())


def test_the_head_moves_without_a_jerk_as_far_as_asked_and_comes_to_rest(
    pipeline: Pipeline, in_style: dict[str, list[Frames]]
) -> None:
    for takes in in_style.values():
        for take in takes:
            assert 1.0 < turn_deg(take).max() < 45.0
            assert np.abs(np.diff(head_of(take), axis=0)).max() < 0.1  # 11 degrees a frame; a lively nod has 7
            np.testing.assert_allclose(head_of(take)[-1], [0, 0, 0, 1], atol=1e-3)
            np.testing.assert_array_equal(take.weights[-1], 0)
    held = moved(pipeline, style="nodding", head_amount=0.0)
    np.testing.assert_allclose(head_of(held), np.broadcast_to([0, 0, 0, 1], head_of(held).shape), atol=1e-6)


def test_a_seed_gives_one_motion_and_few_steps_still_shut_lips(pipeline: Pipeline) -> None:
    first = moved(pipeline, 3, style="open", steps=2)
    assert np.array_equal(first.weights, moved(pipeline, 3, style="open", steps=2).weights)
    assert np.abs(first.weights - moved(pipeline, 4, style="open", steps=2).weights).mean() > 0.003
    assert share_shut(first.weights) >= 0.8
    assert np.percentile(lip_gap(first.weights), 95) > 0.1


def test_the_bundle_is_small() -> None:
    assert sum(path.stat().st_size for path in (shipped_folder() / "diffposetalk-compact").iterdir()) <= 15e6
