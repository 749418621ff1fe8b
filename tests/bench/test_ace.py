"""Figures of NVIDIA's interface against definitions by hand, and against a real server."""

import time

import numpy as np
import pytest

from facestream.nvidia_ace.status.v1.status_pb2 import Status
from facestream_bench import ace
from facestream_bench.ace import Call, measure
from tests.transports.loopback import loopback


def a_call(sample_count: int = 1000, **changes: object) -> Call:
    samples = np.arange(sample_count, dtype=np.int16)
    echo = bytearray(np.pad(samples, (0, 1066 - sample_count)).tobytes())
    good = {"frames": 2, "times_s": [0.0, 1 / 30], "echo": echo, "status": Status(code=Status.SUCCESS)}
    return Call(began_s=0.0, samples=samples, **{**good, **changes})  # type: ignore[arg-type]


def test_what_is_wrong_with_a_call_is_counted() -> None:
    assert not any(a_call().wrong.values())
    assert a_call(frames=3).wrong["frames"] == 1
    assert a_call(times_s=[0.0, 0.0333]).wrong["times"] == 1
    assert a_call(status=None).wrong["ends"] == 1
    assert a_call(status=Status(code=Status.ERROR)).wrong["ends"] == 1
    changed = a_call().echo.copy()
    changed[0] = 7
    assert a_call(echo=changed).wrong["samples"] == 1
    assert a_call(echo=a_call().echo[:-4]).wrong["samples"] == 2


def test_lag_counts_from_the_frames_own_sample() -> None:
    call = a_call(audio_s=10.0, arrivals_s=[10.2, 10.25])
    np.testing.assert_allclose(call.lags_s, [0.2, 0.25 - 1 / 30])


@pytest.mark.asyncio
async def test_a_real_server_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ace, "CLIPS", ((1, 16_000), (1, 44_100)))
    async with loopback() as server:
        found = await measure(server.server.address, [1, 2], 0.5, 2, time.process_time)
    assert [found[f"wrong_{key}"] for key in ("frames", "times", "samples", "ends")] == [0, 0, 0, 0]
    assert found["calls"] == 7
    assert 0 < found["header_p50_ms"] < found["first_frame_max_ms"]
    assert found["live_2.lag_p50_ms"] > 60  # the look-ahead, and what is left of the chunk
    assert found["nvidia_latency_p99_ms"] > 0
