import numpy as np
import numpy.typing as npt
import pytest

from facestream.polish import blink

Float64 = npt.NDArray[np.float64]


def lids(seeds: list[int], start_s: float, seconds: float, rate: int = 50, run: int = 7) -> Float64:
    """Lid positions `[F, B]` of several streams, asked for in runs of a few frames."""
    state = np.stack([blink.fresh_blink(start_s) for _ in seeds])
    times = start_s + np.arange(round(seconds * rate)) / rate
    seed = np.array(seeds, np.uint64)
    pieces = np.array_split(times, max(len(times) // run, 1))
    return np.concatenate([blink.lids(state, seed, np.tile(piece, (len(seeds), 1))).T for piece in pieces])


def test_blinks_come_as_often_and_last_as_long_as_people_blink() -> None:
    seconds, rows = 120, 24
    shut = lids(list(range(rows)), 0, seconds)
    per_minute = 60 / seconds * (np.diff((shut > 0.5).astype(int), axis=0) == 1).sum() / rows
    assert 15 < per_minute < 26
    runs = np.diff(np.flatnonzero(np.diff((shut[:, 0] > 0.01).astype(int))))[::2] / 50
    assert runs.min() > 0.15
    assert runs.max() < 0.30
    assert shut.min() >= 0
    assert shut.max() <= 1


def test_a_stream_that_begins_late_meets_the_same_blinks() -> None:
    whole = lids([5, 6], 0, 200)
    late = lids([5, 6], 130.5, 69.5)
    np.testing.assert_allclose(late, whole[6525:], atol=1e-6)


def test_batch_mates_do_not_matter_and_seeds_do() -> None:
    together = lids([1, 2, 3], 0, 60)
    np.testing.assert_array_equal(lids([2], 0, 60)[:, 0], together[:, 1])
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.5


def test_runs_of_any_length_give_the_same_blinks() -> None:
    whole = lids([9, 10], 0, 190, run=10**6)
    for run in (1, 2, 50):
        np.testing.assert_allclose(lids([9, 10], 0, 190, run=run), whole, atol=1e-9)


def test_shut_lids_are_not_wide() -> None:
    weights = np.zeros((1, 52), np.float32)
    weights[0, [6, 13]] = 0.8
    blink.close_lids(weights, np.array([1.0], np.float32))
    assert weights[0, [0, 7]].tolist() == [1, 1]
    assert weights[0, [6, 13]].tolist() == [0, 0]


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_extreme_seeds_blink_too(seed: int) -> None:
    assert lids([seed], 0, 60).max() > 0.9
