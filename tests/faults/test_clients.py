"""Clients that misbehave: they vanish, stop reading, or send whatever comes to mind. Nobody else may notice."""

import asyncio
import gc
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.serving.host import AnimationHost
from facestream.v1.animation_service_pb2 import AnimateRequest
from facestream.v1.config_pb2 import SlowReaderPolicy
from tests.transports.loopback import Loopback, audio, config, converse, loopback, speech, until

SPEECH = speech(0.4)
SMALL_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 8192))
"""A client that takes 8 KiB ahead of its reader, so that not reading is felt by the server soon."""


@pytest.mark.asyncio
async def test_a_client_that_vanishes_mid_word_frees_its_row_at_once() -> None:
    async with loopback() as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.write(audio(SPEECH))
        await call.read()
        assert server.open_rows == 1
        steps = server.server.host.engine_threads[0].counts.steps
        call.cancel()
        await until(lambda: server.open_rows == 0)
        assert server.server.host.engine_threads[0].counts.steps <= steps + 8
        assert server.server.host.admission.live_count == 0


@pytest.mark.asyncio
async def test_a_connection_that_breaks_frees_every_row() -> None:
    async with loopback() as server:
        async with grpc.aio.insecure_channel(server.server.address) as channel:
            calls = [Loopback(server.server, channel).stub.Animate() for _ in range(5)]
            for call in calls:
                await call.write(config())
                await call.read()
            assert server.open_rows == 5
        await until(lambda: server.open_rows == 0)


@pytest.mark.asyncio
async def test_a_slow_reader_loses_the_oldest_frames_and_is_told_how_many() -> None:
    async with loopback(outbox_bound_s=0.5, channel_options=SMALL_WINDOW) as server:
        call = server.stub.Animate()
        await call.write(config(slow_reader_policy=SlowReaderPolicy.SLOW_READER_POLICY_DROP_OLDEST))
        for seed in range(40):
            await call.write(audio(speech(0.8, seed=seed)))
        (stream,) = server.server.host.streams
        await until(lambda: stream.outbox.frame_count and not stream.live.ready_hops)
        assert stream.outbox.frame_count <= 15 + 8
        await call.done_writing()
        position = dropped = 0
        async for answer in call:
            if answer.HasField("frames"):
                assert answer.frames.first_frame_index == position
                position += answer.frames.frame_count
            elif answer.event.HasField("frames_dropped"):
                event = answer.event.frames_dropped
                assert event.first_frame_index == position
                position += event.frame_count
                dropped += event.frame_count
        assert dropped > 100
        assert position == 32 * 30 + 9, "what was dropped and what arrived are all there was"


@pytest.mark.asyncio
async def test_a_reader_that_asks_to_be_waited_for_loses_nothing() -> None:
    async with loopback(outbox_bound_s=0.5, channel_options=SMALL_WINDOW) as server:
        call = server.stub.Animate()
        await call.write(config(slow_reader_policy=SlowReaderPolicy.SLOW_READER_POLICY_WAIT))

        async def send() -> None:
            for seed in range(20):
                await call.write(audio(speech(0.8, seed=seed)))
            await call.done_writing()

        sending = asyncio.create_task(send())
        # the engine has nowhere to put more frames
        await until(lambda: any(stream.is_blocked for stream in server.server.host.streams))
        assert not sending.done(), "and the client feels it"
        # a neighbour is not held up by it
        assert await converse(server.stub.Animate(), config(), audio(SPEECH))
        position = 0
        async for answer in call:
            if answer.HasField("frames"):
                assert answer.frames.first_frame_index == position
                position += answer.frames.frame_count
        await sending
        assert position == 16 * 30 + 9


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("audio"), st.integers(0, 4000), st.none() | st.integers(-10, 60_000)),
        st.tuples(st.just("bytes"), st.binary(max_size=9)),
        st.tuples(st.just("control"), st.floats(-1, 3), st.none() | st.integers(-10, 60_000)),
        st.tuples(st.just("flush"), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just("config")),
        st.tuples(st.just("empty")),
        st.tuples(st.just("read")),
        st.tuples(st.just("pause")),
    ),
    max_size=12,
)
NAMED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.NOT_FOUND,
}


def test_any_sequence_of_actions_ends_well_or_with_a_named_status(caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:
        context = loopback()
        server = runner.run(context.__aenter__())

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(ACTIONS, st.sampled_from(["half_close", "cancel"]))
        def any_client(actions: list[tuple[Any, ...]], end: str) -> None:
            runner.run(_act(server, actions, end))

        any_client()
        runner.run(until(lambda: server.open_rows == 0))
        assert runner.run(converse(server.stub.Animate(), config(), audio(SPEECH)))
        runner.run(context.__aexit__(None, None, None))
    assert not [record for record in caplog.records if record.exc_info]


async def _act(server: Loopback, actions: list[tuple[Any, ...]], end: str) -> None:
    call = server.stub.Animate()
    try:
        await call.write(config())
        for action in actions:
            if action[0] == "read":
                await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0))})
            elif action[0] == "pause":
                await asyncio.sleep(0.001)
            else:
                await call.write(_request(action))
        if end == "cancel":
            call.cancel()
            return
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        pass  # ended while sending; reading on tells how
    try:
        position = 0
        async for answer in call:
            if answer.HasField("frames"):
                assert answer.frames.first_frame_index == position, "no hole, no step back"
                position += answer.frames.frame_count
                assert all(0 <= weight <= 1 for weight in answer.frames.weights)
    except grpc.aio.AioRpcError as error:
        assert error.code() in NAMED, error


def _request(action: tuple[Any, ...]) -> AnimateRequest:
    match action:
        case ("audio", count, first_sample):
            return audio(np.zeros(count, np.float32) + 0.01, first_sample)
        case ("bytes", data):
            return audio(data)
        case ("control", strength, at_sample):
            control = {"at_sample": at_sample, "controls": {"mouth_strength": strength}}
            return AnimateRequest(control={key: value for key, value in control.items() if value is not None})
        case ("flush", marker_id):
            return AnimateRequest(flush={"marker_id": marker_id})
        case ("config",):
            return config()
        case _:
            return AnimateRequest()


def test_any_bytes_as_a_first_message_get_a_named_status(caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:
        context = loopback()
        server = runner.run(context.__aenter__())
        good = config(model="synthetic", curve_set="arkit52").SerializeToString()
        mutated = st.builds(
            lambda place, byte: good[: place % len(good)] + byte + good[place % len(good) + 1 :],
            st.integers(0, 200),
            st.binary(min_size=0, max_size=3),
        )

        @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.one_of(st.binary(max_size=64), mutated))
        def any_bytes(message: bytes) -> None:
            runner.run(_send_raw(server, message))

        any_bytes()
        runner.run(until(lambda: server.open_rows == 0))
        runner.run(context.__aexit__(None, None, None))
    assert not [record for record in caplog.records if record.exc_info]


async def _send_raw(server: Loopback, message: bytes) -> None:
    call = server.channel.stream_stream("/facestream.v1.AnimationService/Animate")()
    try:
        await call.write(message)
        await call.done_writing()
        async for _ in call:
            pass
    except grpc.aio.AioRpcError as error:
        assert error.code() in NAMED, error


async def _cancelled_clients(server: Loopback, count: int) -> None:
    """Clients that leave at every phase: before the config, after it, in the middle of audio, unread."""

    async def one(number: int) -> None:
        call = server.stub.Animate()
        if number % 4:
            await call.write(config())
        if number % 4 > 1:
            await call.read()
            await call.write(audio(SPEECH))
        if number % 4 > 2:
            await call.read()
        call.cancel()

    for first in range(0, count, 25):
        await asyncio.gather(*(one(number) for number in range(first, first + 25)))
    await until(lambda: not server.server.host.streams and server.open_rows == 0)


def _living_streams() -> int:
    gc.collect()
    return sum(type(one).__name__ in ("ServedStream", "LiveStream", "Outbox") for one in gc.get_objects())


async def _growth_over_500_clients() -> tuple[int, float]:
    """Objects left behind, and MB of memory grown, by 500 clients that cancel."""
    async with loopback(max_streams=64) as server:
        await _cancelled_clients(server, 100)  # warm: caches, arenas, the row table's size
        objects, memory = _living_streams(), psutil.Process().memory_info().rss
        await _cancelled_clients(server, 500)
        await asyncio.sleep(0.05)
        return _living_streams() - objects, (psutil.Process().memory_info().rss - memory) / 1e6


@pytest.mark.asyncio
async def test_500_cancelled_clients_leave_nothing_behind() -> None:
    objects, megabytes = await _growth_over_500_clients()
    assert objects <= 0
    assert megabytes < 10


@pytest.mark.asyncio
async def test_the_leak_check_finds_a_planted_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    release = AnimationHost.release

    def leaking(self: AnimationHost, stream: Any) -> None:
        kept.append((stream, np.ones(20_000)))
        release(self, stream)

    monkeypatch.setattr(AnimationHost, "release", leaking)
    objects, megabytes = await _growth_over_500_clients()
    assert objects >= 3 * 250
    assert megabytes > 10
