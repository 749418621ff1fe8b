"""The search for the largest number of streams, against servers whose limit is known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream_bench.capacity import BROKEN_DOWN, MOST, P99_LIMIT_MS, is_carried, largest_carried
from facestream_bench.live_load import Figures


class KnownServer:
    """A queue whose wait grows without bound as the streams near `limit`; more than that it loses frames."""

    def __init__(self, limit: float, unsteady_ms: float = 0.0, seed: int = 0) -> None:
        self.limit = limit
        self.unsteady_ms = unsteady_ms
        self.chance = random.Random(seed)
        self.asked: list[int] = []

    def __call__(self, count: int) -> Figures:
        self.asked.append(count)
        load = count / (1.2 * self.limit)  # p99 is at its limit where the load is 1 / 1.2
        wait_ms = 1e9 if load >= 1 else P99_LIMIT_MS / 5 * load / (1 - load)
        wait_ms += self.unsteady_ms * (self.chance.random() - 0.5)
        return {"added_p99_ms": wait_ms, "missed_share": 0.0 if load < 1 else 0.5, "client_cores": 0.1}


@given(limit=st.integers(1, MOST), start=st.integers(1, 400), step=st.sampled_from([1, 4, 8, 16]))
def test_the_limit_of_a_steady_server_is_found(limit: int, start: int, step: int) -> None:
    server = KnownServer(limit + 1e-6)
    count, medians = largest_carried(server, start, step, runs=1)
    assert count == limit // step * step
    assert len(set(server.asked)) <= 30
    assert not medians if count == 0 else is_carried(medians)


@given(limit=st.integers(16, 400), seed=st.integers(0, 1000))
def test_what_an_unsteady_server_carried_once_by_luck_is_not_its_limit(limit: int, seed: int) -> None:
    count, medians = largest_carried(KnownServer(limit, unsteady_ms=40.0, seed=seed), 32, 8, runs=5)
    assert is_carried(medians)
    assert KnownServer(limit)(count)["added_p99_ms"] < P99_LIMIT_MS + 20.0


def test_missed_frames_alone_are_enough_to_fail() -> None:
    fine = {"added_p99_ms": P99_LIMIT_MS, "missed_share": 0.0009}
    assert is_carried(fine)
    assert not is_carried(fine | {"missed_share": 0.001})
    assert not is_carried(fine | {"added_p99_ms": P99_LIMIT_MS + 0.1})


def test_a_server_that_carries_nobody_ends_the_search() -> None:
    server = KnownServer(0.001)
    assert largest_carried(server, 512, 8, runs=3) == (0, {})
    assert server.asked == sorted(server.asked, reverse=True)


@pytest.mark.parametrize("runs", [1, 4])
def test_the_figures_are_medians_of_the_runs_that_had_to_hold(runs: int) -> None:
    server = KnownServer(100.0)
    count, medians = largest_carried(server, 32, 8, runs)
    assert server.asked[-runs:] == [count] * runs
    assert medians["client_cores"] == 0.1


def test_runs_that_break_down_are_not_carried_and_one_of_three_does_not_decide() -> None:
    assert not is_carried(BROKEN_DOWN)
    steady = KnownServer(20.0)

    def breaking_down(count: int) -> Figures:
        found = steady(count)
        return BROKEN_DOWN if steady.asked.count(count) == 2 or count > 20 else found

    count, medians = largest_carried(breaking_down, 16, 8, runs=3)
    assert (count, medians["client_cores"]) == (16, 0.1)
    assert largest_carried(lambda count: BROKEN_DOWN, 16, 8, runs=3) == (0, {})
