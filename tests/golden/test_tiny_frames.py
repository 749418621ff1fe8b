import numpy as np
import pytest

from tests.golden.tiny_frames import CASES, PATH, make_frames

TOLERANCE = 2e-4
"""Weights: far below what a rig shows, above what another CPU's sums of floats may differ by."""


def test_the_pipeline_still_makes_the_golden_frames() -> None:
    with np.load(PATH, allow_pickle=False) as golden:
        for name, frames in make_frames().items():
            np.testing.assert_allclose(frames.weights, golden[name], atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_golden_frames_hold_a_moving_face(name: str) -> None:
    with np.load(PATH, allow_pickle=False) as golden:
        moving = np.abs(np.diff(golden[name], axis=0)).max(axis=0) > 10 * TOLERANCE
    assert moving.sum() > 20
