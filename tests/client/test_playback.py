from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.client import PlaybackClock
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32, Frames, Pose

RATE_HZ = 16000
CLOCK = FrameClock(FrameRate(30), RATE_HZ)
FRAME = RATE_HZ / 30


def ramp(first: int, count: int) -> Frames:
    """Frame `i` has the value i / 1000 everywhere."""
    values = np.arange(first, first + count, dtype=np.float32) / 1000
    return Frames(first, np.repeat(values[:, None], 52, axis=1))


def turned(angles: list[float]) -> Pose:
    quaternions = np.array([[0, np.sin(angle / 2), 0, np.cos(angle / 2)] for angle in angles], np.float32)
    return Pose(quaternions, quaternions, -quaternions)


@given(st.integers(0, 40 * 533), st.lists(st.integers(1, 7), min_size=10, max_size=10))
def test_between_frames_it_is_a_straight_line_however_they_came(sample: int, counts: list[int]) -> None:
    playback = PlaybackClock(CLOCK, rejoin_ms=0)
    first = 0
    for count in [*counts, 50]:
        playback.add(ramp(first, count))
        first += count
    face = playback.at(sample)
    assert not face.is_starved
    np.testing.assert_allclose(face.weights, sample / FRAME / 1000, atol=1e-6)


def test_it_never_runs_ahead_of_the_sound() -> None:
    playback = PlaybackClock(CLOCK)
    playback.add(ramp(30, 10))
    face = playback.at(29 * RATE_HZ // 30)
    assert face.is_starved
    assert not face.weights.any()


def test_without_frames_it_holds_then_eases_to_neutral() -> None:
    playback = PlaybackClock(CLOCK, hold_ms=100, rest_ms=250)
    playback.add(Frames(0, np.ones((4, 52), np.float32), turned([1.0] * 4)))
    last = 3 * RATE_HZ // 30

    def at_ms(milliseconds: int) -> Float32:
        return playback.at(last + milliseconds * RATE_HZ // 1000).weights

    values = [float(at_ms(milliseconds)[0]) for milliseconds in range(0, 400, 5)]
    assert values[0] == values[19] == 1.0, "held for 100 ms"
    assert values[22] < 1.0
    assert values[70] == values[-1] == 0.0, "at rest 350 ms behind the last frame"
    assert all(before >= after for before, after in pairwise(values)), "and never up again"
    assert max(before - after for before, after in pairwise(values)) < 0.05, "nor in a jump"
    np.testing.assert_allclose(playback.at(last + RATE_HZ).head, [0, 0, 0, 1])
    assert playback.at(last + RATE_HZ).is_starved


def test_frames_that_come_back_are_blended_in() -> None:
    playback = PlaybackClock(CLOCK, rejoin_ms=80)
    playback.add(Frames(0, np.zeros((2, 52), np.float32)))
    assert playback.at(RATE_HZ).is_starved
    playback.add(Frames(30, np.ones((60, 52), np.float32)))
    values = [float(playback.at(RATE_HZ + step * RATE_HZ // 100).weights[0]) for step in range(12)]
    assert values[0] < 0.2
    assert values[-1] == 1.0
    assert max(np.diff(values)) < 0.2


@pytest.mark.parametrize(("missing", "is_starved"), [(2, False), (20, True)])
def test_a_short_hole_is_bridged_and_a_long_one_is_not(missing: int, is_starved: bool) -> None:
    playback = PlaybackClock(CLOCK)
    playback.add(ramp(0, 3))
    playback.add(ramp(3 + missing, 3))
    assert playback.at(round((2 + missing / 2) * FRAME)).is_starved is is_starved


def test_rotations_take_the_shorter_arc() -> None:
    playback = PlaybackClock(CLOCK, rejoin_ms=0)
    playback.add(Frames(0, np.zeros((1, 52), np.float32), turned([0.0])))
    pose = turned([1.0])
    playback.add(Frames(1, np.zeros((1, 52), np.float32), Pose(-pose.head, pose.left_eye, pose.right_eye)))
    face = playback.at(round(FRAME / 2))
    for rotation in (face.head, face.left_eye, -face.right_eye):
        assert np.linalg.norm(rotation) == pytest.approx(1)
        assert 2 * np.arctan2(rotation[1], rotation[3]) == pytest.approx(0.5, abs=0.01)


def test_it_forgets_what_was_shown_and_ignores_what_it_has() -> None:
    playback = PlaybackClock(CLOCK)
    for first in range(0, 3000, 2):
        playback.add(ramp(first, 2))
        playback.add(ramp(max(0, first - 4), 3))
        playback.at(round(first * FRAME))
    assert playback.buffered_frames < 10
