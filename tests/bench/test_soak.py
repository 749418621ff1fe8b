"""A soak of a real server: it ends clean, and what is planted in it is found."""

from collections import Counter

import numpy as np
import pytest

from facestream.client import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream_bench import soak_callers
from facestream_bench.server_process import Holdings, held_by
from facestream_bench.soak import Look, Visit, figures_of, slope, soak
from facestream_bench.soak_callers import SHARES, Diary
from tests.transports.loopback import Loopback, loopback, speech, synthetic_pipeline

SEATS, SECONDS = 4, 2.0


async def short_soak(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    monkeypatch.setattr(soak_callers, "SHORTEST_S", 0.2)
    monkeypatch.setattr(soak_callers, "SLOW_READ_S", 0.05)
    visit = Visit(server.server.address, speech(0.5), StreamOptions(seed=1), SEATS)
    diary, looks = await soak(visit, lambda: held_by_server(server), SECONDS, look_every_s=0.2, settle_s=0.3)
    return figures_of(diary, looks)


def held_by_server(server: Loopback) -> Holdings:
    rows = server.open_rows
    return Holdings(len(server.server.host.streams), rows, tasks=0)


@pytest.mark.asyncio
async def test_a_sound_server_is_left_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(max_streams=SEATS, max_clips=SEATS) as server:
        found = await short_soak(server, monkeypatch)
        assert held_by(server.server).rows == 0
    assert found["errors"] == found["leaked_rows"] == found["leaked_streams"] == 0.0
    assert sum(found[f"calls_{kind}"] for kind in SHARES) > SEATS
    assert found["calls_spoken"] > 0


@pytest.mark.asyncio
async def test_rows_that_are_not_given_back_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful() -> Pipeline:
        pipeline = synthetic_pipeline()
        release = pipeline._rows.give_back
        turns = iter(range(10_000))
        pipeline._rows.give_back = lambda row: release(row) if next(turns) % 3 else None
        return pipeline

    async with loopback(forgetful, max_streams=SEATS, max_clips=SEATS) as server:
        found = await short_soak(server, monkeypatch)
    assert found["leaked_rows"] >= 2.0
    assert found["leaked_streams"] == 0.0


@pytest.mark.asyncio
async def test_callers_who_are_turned_away_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(max_streams=1, max_clips=SEATS) as server:
        found = await short_soak(server, monkeypatch)
    assert found["errors"] > 0.0


def looks_at(memory_mb: list[float]) -> list[Look]:
    return [Look(60.0 * minute, Holdings(0, 0, 3, memory_mb=held)) for minute, held in enumerate(memory_mb)]


def test_memory_that_grows_by_the_minute_is_drift_and_memory_of_the_warm_up_is_not() -> None:
    flat = figures_of(Diary(), looks_at([100.0] * 5 + [150.0] * 26))
    assert flat["memory_drift_mb_per_hour"] == pytest.approx(0.0, abs=1e-6)
    assert flat["memory_growth_mb"] == 0.0
    growing = figures_of(Diary(), looks_at([150.0 + 0.5 * minute for minute in range(31)]))
    assert growing["memory_drift_mb_per_hour"] == pytest.approx(30.0)
    assert growing["memory_growth_mb"] == pytest.approx(12.0)


def test_latency_of_the_first_and_the_last_quarter_are_told_apart() -> None:
    moments = np.linspace(0.0, 1799.0, 1000)
    diary = Diary(Counter(spoken=1), latencies=[(moment, 0.001 + 1e-5 * moment) for moment in moments])
    found = figures_of(diary, looks_at([1.0] * 31))
    assert found["added_p99_first_ms"] == pytest.approx(5.5, abs=0.1)
    assert found["added_p99_last_ms"] == pytest.approx(19.0, abs=0.1)


def test_slope() -> None:
    assert slope([0.0, 1.0, 2.0], [5.0, 3.0, 1.0]) == pytest.approx(-2.0)
    assert slope([1.0], [5.0]) == 0.0
