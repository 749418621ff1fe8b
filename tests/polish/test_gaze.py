import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.curves import CURVE_COUNT, INDEX
from facestream.polish import gaze
from facestream.polish.noise import Float64
from facestream.types import Float32


def looks(seeds: list[int], start_s: float, seconds: float, rate: int = 50, run: int = 7) -> Float64:
    """Yaw and pitch `[F, 2, B]`, asked for in runs of a few frames."""
    state = np.stack([gaze.fresh_gaze(start_s) for _ in seeds])
    times = start_s + np.arange(round(seconds * rate)) / rate
    seed = np.array(seeds, np.uint64)
    pieces = np.array_split(times, max(len(times) // run, 1))
    return np.concatenate(
        [gaze.looks(state, seed, np.tile(piece, (len(seeds), 1))).transpose(1, 2, 0) for piece in pieces]
    )


def test_runs_of_any_length_give_the_same_gaze() -> None:
    whole = looks([9, 10], 0, 130, run=10**6)
    for run in (1, 2, 50):
        np.testing.assert_allclose(looks([9, 10], 0, 130, run=run), whole, atol=1e-9)


def test_gaze_is_small_and_shifts_about_once_a_second() -> None:
    angles = looks(list(range(24)), 0, 60)
    assert np.abs(angles[:, 0]).max() <= gaze.YAW_SPREAD_RAD * gaze.FARTHEST_SPREADS + 1e-6
    assert np.abs(angles[:, 1]).max() <= gaze.PITCH_SPREAD_RAD * gaze.FARTHEST_SPREADS + 1e-6
    moving = np.abs(np.diff(angles[:, 0], axis=0)) > 1e-5
    starts = (np.diff(moving.astype(int), axis=0) == 1).sum() / 24 / 60
    assert 0.5 < starts < 1.5


def test_a_stream_that_begins_late_looks_the_same_way() -> None:
    whole, late = looks([4], 0, 150), looks([4], 100.5, 49.5)
    np.testing.assert_allclose(late[300:], whole[5325:], atol=1e-6)


@given(st.floats(-0.5, 0.5), st.floats(-0.4, 0.4))
def test_curves_and_rotations_are_one_gaze(yaw: float, pitch: float) -> None:
    weights = np.zeros((1, CURVE_COUNT), np.float32)
    gaze.turn_eyes(weights, np.array([yaw], np.float32), np.array([pitch], np.float32))
    for eye, quaternion in enumerate(gaze.eye_rotations(weights)[0]):
        forward = rotated(quaternion, np.array([0.0, 0.0, 1.0]))
        expected = [np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
        np.testing.assert_allclose(forward, expected, atol=1e-5, err_msg=f"eye {eye}")


def test_the_subjects_left_is_left_in_both_eyes() -> None:
    weights = np.zeros((1, CURVE_COUNT), np.float32)
    gaze.turn_eyes(weights, np.array([0.2], np.float32), np.array([0.1], np.float32))
    active = {name for name, column in INDEX.items() if weights[0, column] > 0}
    assert active == {"eyeLookOutLeft", "eyeLookInRight", "eyeLookDownLeft", "eyeLookDownRight"}


def rotated(quaternion: Float32, vector: np.ndarray) -> np.ndarray:
    axis, w = quaternion[:3].astype(float), float(quaternion[3])
    twice = 2 * np.cross(axis, vector)
    return vector + w * twice + np.cross(axis, twice)
