"""How long streams live, on a clock that the test turns."""

import asyncio
from typing import Any

import grpc
import pytest

from facestream.v1.events_pb2 import GoingAwayReason
from tests.transports.loopback import audio, config, loopback, speech


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def ended(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    return caught.value


@pytest.mark.asyncio
async def test_a_stream_without_audio_ends_at_the_idle_limit_and_not_before() -> None:
    clock = Clock()
    async with loopback(now=clock, stuck_after_s=600.0, idle_timeout_s=30.0) as server:
        call = server.stub.Animate()
        await call.write(config())
        answers = aiter(call)
        await anext(answers)
        (stream,) = server.server.host.streams
        for number in range(3):
            clock.now_s += 29
            server.server.host.check()
            await call.write(audio(speech(0.2)))
            while stream.live.received_samples < (number + 1) * 3200:
                await asyncio.sleep(0.001)
        assert server.open_rows == 1
        clock.now_s += 29
        server.server.host.check()
        assert server.open_rows == 1
        clock.now_s += 2
        server.server.host.check()
        assert stream.is_released
        while server.open_rows:  # free once a step under way is over
            await asyncio.sleep(0.001)
        error = await ended(call)
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "no audio for 30 s" in (error.details() or "")


@pytest.mark.asyncio
async def test_a_stream_gets_notice_before_its_largest_age() -> None:
    clock = Clock()
    async with loopback(
        now=clock, stuck_after_s=600.0, idle_timeout_s=1000.0, max_age_s=100.0, going_away_notice_s=30.0
    ) as server:
        call = server.stub.Animate()
        await call.write(config())
        answers = aiter(call)
        await anext(answers)
        clock.now_s += 69
        server.server.host.check()
        (stream,) = server.server.host.streams
        assert stream.outbox.event_count == 0
        for _ in range(3):
            clock.now_s += 2
            server.server.host.check()
        event = (await anext(answers)).event
        assert event.going_away.reason == GoingAwayReason.GOING_AWAY_REASON_MAX_AGE
        assert event.going_away.time_left.ToMilliseconds() == 29_000
        assert stream.outbox.event_count == 0, "it is told once"
        clock.now_s += 30
        server.server.host.check()
        error = await ended(call)
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "largest age, 100 s" in (error.details() or "")


@pytest.mark.asyncio
async def test_a_client_that_never_reads_the_end_is_hung_up_on() -> None:
    clock = Clock()
    window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4096))
    async with loopback(now=clock, stuck_after_s=600.0, idle_timeout_s=30.0, channel_options=window) as server:
        call = server.stub.Animate()
        await call.write(config(slow_reader_policy=0))  # not said: the oldest frames make room
        for seed in range(20):
            await call.write(audio(speech(0.5, seed=seed)))
        await call.done_writing()
        host = server.server.host
        while server.open_rows and not all(stream.live.is_done for stream in host.streams):
            await asyncio.sleep(0.002)
        while host.streams:
            clock.now_s += 31
            host.check()
            await asyncio.sleep(0.01)
        assert host.admission.live_count == 0
        assert server.open_rows == 0
        error = await ended(call)  # it reads after all, and is told
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "end of the stream was not read for 30 s" in (error.details() or "")
