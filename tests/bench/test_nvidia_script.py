"""NVIDIA's two numbers against a definition by hand, and against a real server."""

import numpy as np
import pytest

from facestream.client import StreamOptions
from facestream_bench import nvidia_script
from facestream_bench.nvidia_script import Request, figures_of, measure_script
from tests.transports.loopback import loopback


def a_request(header_s: float, messages: int = 4, frames: int = 60) -> Request:
    return Request(10.0, 10.0 + header_s, 10.0 + header_s + 0.05, 10.0 + header_s + 0.5, messages, frames)


def test_its_latency_ends_at_the_header_and_its_fps_counts_messages() -> None:
    one = a_request(0.02)
    assert one.header_ms == pytest.approx(20.0)
    assert one.messages_per_s == pytest.approx((1 + 4) / 0.5)
    assert one.first_frame_ms == pytest.approx(70.0)
    assert one.frames_per_s == pytest.approx(60 / 0.52)


def test_of_all_clips_the_worst_is_told() -> None:
    quick = [a_request(0.001 * n) for n in range(1, 101)]
    slow = [a_request(0.2, messages=2) for _ in range(100)]
    found = figures_of([quick, slow])
    assert found["nvidia_latency_p99_ms"] == pytest.approx(200.0)
    assert found["nvidia_latency_mean_ms"] == pytest.approx(200.0)
    assert found["nvidia_fps_p1"] == pytest.approx(6.0)
    alone = figures_of([quick])
    assert alone["nvidia_latency_p99_ms"] == pytest.approx(np.percentile(np.arange(1, 101), 99))
    assert alone["nvidia_fps_p1"] == pytest.approx(10.0)


@pytest.mark.asyncio
async def test_a_real_server_answers_its_header_before_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_script, "CLIPS", ((1, 16_000), (1, 44_100)))
    async with loopback() as server:
        found = await measure_script(server.server.address, 2, StreamOptions(seed=1))
    assert 0.0 < found["nvidia_latency_mean_ms"] <= found["nvidia_latency_p99_ms"] < found["burst_first_frame_p99_ms"]
    assert found["burst_frames_per_s_p1"] > found["nvidia_fps_p1"] > 0.0
    assert found["burst_frames_per_message"] > 1.0
