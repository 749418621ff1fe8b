import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.motion.heard_emotion import SILENT_RMS, follow, hear_whole, is_speech


def gaussian(*directions: float) -> tuple[np.ndarray, np.ndarray]:
    mean = np.stack([[np.cos(angle), np.sin(angle)] for angle in directions]).astype(np.float32)
    return mean, np.full_like(mean, -1.0)


def state(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros((rows, 2), np.float32), np.zeros((rows, 2), np.float32), np.zeros(rows, np.float32)


def test_the_first_hearing_is_taken_and_later_ones_are_followed_slowly() -> None:
    mean, spread, counts = state(1)
    follow(mean, spread, counts, gaussian(0.0), np.ones(1, np.float32))
    np.testing.assert_allclose(mean, [[1.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(spread, -1.0)
    angles = []
    for _ in range(20):
        follow(mean, spread, counts, gaussian(1.0), np.ones(1, np.float32))
        angles.append(float(np.arctan2(mean[0, 1], mean[0, 0])))
        np.testing.assert_allclose(np.linalg.norm(mean), 1.0, atol=1e-6)
    assert 0.2 < angles[0] < 0.6
    assert (np.diff(angles) >= 0).all()
    assert angles[-1] > 0.99


def test_silence_changes_nothing_but_stands_in_at_the_start() -> None:
    mean, spread, counts = state(2)
    silent, loud = np.zeros(2, np.float32), np.ones(2, np.float32)
    follow(mean, spread, counts, gaussian(0.5, 0.5), silent)
    np.testing.assert_allclose(mean, gaussian(0.5, 0.5)[0], atol=1e-6)
    follow(mean, spread, counts, gaussian(2.0, 2.0), loud)
    np.testing.assert_allclose(mean, gaussian(2.0, 2.0)[0], atol=1e-6)
    before = mean.copy()
    follow(mean, spread, counts, gaussian(0.0, 0.0), np.array([0, 1], np.float32))
    np.testing.assert_array_equal(mean[0], before[0])
    assert np.abs(mean[1] - before[1]).max() > 0.1


class Noting:
    """Hears the loudness as a direction, and notes how much it was given."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.loudness: list[float] = []

    def hear(self, pcm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.lengths.append(pcm.shape[1])
        self.loudness.append(float(np.abs(pcm).max()))
        return gaussian(*np.abs(pcm).max(axis=1).tolist())


def test_a_recording_is_heard_in_equal_parts_without_its_silence() -> None:
    listener = Noting()
    pcm = np.zeros((1, 100 * 20), np.float32)
    pcm[0, 350:700], pcm[0, 1140:1390] = 0.5, 1.5
    mean, _ = hear_whole(listener, pcm, 100, 4, 4)
    assert listener.lengths == [400, 400]  # 300 to 1400 in parts of 400, 300 and 400, the second of which is silent
    np.testing.assert_allclose(np.arctan2(mean[0, 1], mean[0, 0]), 1.0, atol=1e-5)
    listener.lengths.clear()
    hear_whole(listener, np.zeros((1, 300), np.float32), 100, 4, 4)
    assert listener.lengths == [300], "where all is silent, silence is heard"


@given(seconds=st.integers(1, 300), codes=st.integers(1, 6), every=st.integers(6, 9))
def test_a_share_of_a_recording_is_heard_where_it_is_loudest(seconds: int, codes: int, every: int) -> None:
    listener = Noting()
    pcm = np.random.default_rng(seconds).random((1, 10 * seconds)).astype(np.float32)
    pcm[0, :: 10 * every] = 9.0
    hear_whole(listener, pcm, 10, codes, every)
    parts = -(-seconds // every)
    assert listener.lengths == [10 * min(codes, length) for length in _equal(seconds, parts)]
    loud = pcm.reshape(-1, 10).max(axis=1) > 1.0
    heard = sum(angle > 1.0 for angle in listener.loudness)
    assert heard >= sum(one.any() for one in np.split(loud, np.cumsum(_equal(seconds, parts))[:-1]))


def _equal(count: int, parts: int) -> list[int]:
    return np.diff(np.linspace(0, count, parts + 1).round().astype(int)).tolist()


def test_the_border_of_silence() -> None:
    assert is_speech(np.full((2, 50), SILENT_RMS, np.float32) * np.array([[1.01], [0.99]], np.float32)).tolist() == [
        True,
        False,
    ]
