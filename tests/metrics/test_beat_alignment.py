import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream_models.metrics.beat_alignment import SIGMA_FRAMES, beat_scores, beats_of


def test_a_head_rests_between_its_moves():
    speed = np.abs(np.sin(np.arange(200) / 25.0 * np.pi * 1.3 + 0.4))
    beats = beats_of(speed)
    assert len(beats) == 10  # 8 s at 1.3 a second
    assert (speed[beats] < 0.1).all()
    assert len(beats_of(np.ones(50))) == len(beats_of(np.arange(50.0))) == 0


@given(st.sets(st.integers(0, 500), min_size=1, max_size=30), st.integers(0, 20))
def test_beats_are_as_near_as_the_nearest_of_the_others(places, late):
    beats = np.array(sorted(places))
    assert beat_scores(beats, beats) == pytest.approx(1.0)
    moved = beat_scores(beats, np.concatenate([beats + late, [10_000]]))
    assert moved.min() >= np.exp(-((late / SIGMA_FRAMES) ** 2) / 2.0) - 1e-12
    assert beat_scores(beats, np.array([], int)).max() == 0.0


def test_three_frames_off_is_worth_exp_of_minus_a_half():
    assert beat_scores(np.array([10, 40]), np.array([13, 90])) == pytest.approx([np.exp(-0.5), 0.0], abs=1e-6)
