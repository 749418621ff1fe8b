"""Clips that are written in full before anything is read, and clients that never read: no one hangs."""

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest

from facestream.transports.ace_upload import Upload, UploadBudget
from tests.transports.ace_client import Int16, ask, ask_late, call_of, header, read_all, whole
from tests.transports.loopback import Loopback, loopback, until

pytestmark = pytest.mark.asyncio

NARROW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 64 * 1024))
"""A client that takes in 64 kB of answers nobody reads: under two seconds of frames."""


def noise(seconds: float) -> Int16:
    return np.random.default_rng(int(seconds)).integers(-3000, 3000, round(16_000 * seconds)).astype(np.int16)


async def written(server: Loopback, requests: list[Any]) -> Any:
    call = call_of(server.channel)
    for one in requests:
        await call.write(one)
    await call.done_writing()
    return call


async def _whole_clip_before_the_first_read(seconds: int, **fields: Any) -> None:
    samples = noise(seconds)
    async with loopback(channel_options=NARROW, **fields) as server:
        call = await written(server, whole(samples))
        # all of it is here, and the answers stand still: neither side waits for the other to move first
        budget = server.server.ace_uploads
        await until(lambda: server.server.host.streams and all(one.is_blocked for one in server.server.host.streams))
        assert samples.nbytes / 3 < budget.held_bytes <= samples.nbytes
        (stream,) = server.server.host.streams
        assert stream.outbox.frame_count < 100
        assert stream.live.buffered_samples <= 3 * 16_000
        answer = await read_all(call)
        assert budget.held_bytes == 0
        assert not server.server.host.streams
    assert answer.is_complete
    assert answer.times == [index / 30 for index in range(30 * seconds)]
    np.testing.assert_array_equal(answer.echo, samples)
    assert np.isfinite(answer.weights).all()


async def test_a_clip_is_taken_in_full_while_nobody_reads() -> None:
    await _whole_clip_before_the_first_read(10)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_ten_minutes_are_taken_in_full_while_nobody_reads() -> None:
    await _whole_clip_before_the_first_read(600, ace_clip_bound_s=600)


async def test_ten_minutes_where_five_are_allowed_end_with_a_clear_error_after_the_upload() -> None:
    silence = np.zeros(16_000 * 60, np.int16)
    requests = [header(), *whole(silence)[1:-1] * 10, whole(silence)[-1]]
    async with loopback(channel_options=NARROW) as server:
        call = await written(server, requests)
        answer = await read_all(call)
        assert "more than 300 s in one call; allowed: at most 300 s (ace_clip_bound_s)" in answer.error
        await until(lambda: server.open_rows == 0)


@pytest.mark.slow
async def test_a_server_full_of_unread_audio_refuses_more_and_says_so() -> None:
    samples = noise(8)
    async with loopback(channel_options=NARROW, ace_upload_bytes=400_000, max_streams=3) as server:
        first = await written(server, whole(samples))
        await until(lambda: any(one.is_blocked for one in server.server.host.streams))
        second = await ask_late(server.channel, whole(samples))
        assert second.end is not None
        assert second.end.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "ace_upload_bytes" in (second.end.details() or "")
        # the first is none the worse for it, and its place in memory is free again behind it
        answer = await read_all(first)
        assert answer.is_complete
        np.testing.assert_array_equal(answer.echo, samples)
        assert (await ask_late(server.channel, whole(samples))).is_complete


@pytest.mark.slow
async def test_who_reads_while_writing_needs_no_more_than_seconds_of_memory() -> None:
    samples = noise(5)
    peak = 0
    async with loopback(ace_upload_bytes=len(samples.tobytes()) + 1) as server:

        async def watch() -> None:
            nonlocal peak
            budget = server.server.ace_uploads
            while True:
                peak = max(peak, budget.held_bytes)
                await asyncio.sleep(0.001)

        watching = asyncio.create_task(watch())
        answer = await ask(server.channel, whole(samples, chunk=560), pause_s=0.002)
        watching.cancel()
        assert answer.is_complete
        assert 0 < peak < samples.nbytes / 2


async def test_a_reader_that_stays_away_for_good_is_let_go() -> None:
    async with loopback(channel_options=NARROW, idle_timeout_s=0.3) as server:
        opened = []
        server.server.host.open = lambda asked, really=server.server.host.open: opened.append(1) or really(asked)  # type: ignore[method-assign]
        call = await written(server, whole(noise(10)))
        await until(lambda: opened)
        await until(lambda: server.open_rows == 0 and not server.server.host.streams)
        assert server.server.ace_uploads.held_bytes == 0
        answer = await read_all(call)
        assert not answer.is_complete


async def test_the_buffer_gives_back_what_both_have_had() -> None:
    budget = UploadBudget(100_000)
    upload = Upload(16_000, 1.0, budget)
    samples = noise(1)
    upload.append(samples[:3000].tobytes())
    assert await upload.next_piece(1000) == samples[:1000].tobytes()
    assert upload.answer(0, 400) == samples[:400].tobytes()
    assert budget.held_bytes == 2 * 2600
    assert await upload.next_piece(5000) == samples[1000:3000].tobytes()
    assert upload.answer(400, 2900) == samples[400:2900].tobytes()
    assert budget.held_bytes == 2 * 100
    upload.end()
    assert await upload.next_piece(10) == b""
    assert upload.answer(2900, 3400) == samples[2900:3000].tobytes() + bytes(800)
    assert budget.held_bytes == 0
