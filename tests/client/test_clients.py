"""The clients against a real server: streams, clips, errors of the same tree, resumption."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import psutil
import pytest

from facestream.client import AsyncClient, Client, StreamOptions, at_live_pace
from facestream.curves import ARKIT_NAMES, INDEX
from facestream.errors import (
    AudioError,
    Busy,
    FacestreamError,
    InvalidValue,
    NotFound,
    OutOfOrder,
    PositionError,
    Unavailable,
)
from facestream.events import FlushDone, Gap, SpeechEnded, SpeechStarted
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions as PipelineOptions
from facestream.timebase import FrameRate
from facestream.transports.server import Server
from facestream.types import Float32, Frames
from tests.transports.loopback import RATE_HZ, loopback, settings, speech, synthetic_pipeline

SPEECH = speech(2.0)


def reference(pcm: Float32, **options: Any) -> Frames:
    return animate(pcm, PipelineOptions(seed=1, **options), synthetic_pipeline())


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ["s16", "f32"])
async def test_a_stream_from_arrays(encoding: Any) -> None:
    async with loopback() as server, AsyncClient(server.server.address) as client:
        # more than the two seconds that a server keeps for a reader who is late, as a busy machine makes one
        options = StreamOptions(encoding=encoding, frame_rate=FrameRate(30000, 1001), seed=1, slow_reader="wait")
        async with client.animate(options) as stream:
            assert stream.info.curve_names == ARKIT_NAMES
            assert stream.info.clock.rate == FrameRate(30000, 1001)
            await stream.send(SPEECH)  # longer than a message may be: the client cuts it
            await stream.finish()
            runs = [frames async for frames in stream]
    expected = reference(SPEECH, frame_rate=FrameRate(30000, 1001))
    weights = np.concatenate([run.weights for run in runs])
    assert runs[0].pose is not None
    np.testing.assert_allclose(weights, expected.weights, atol=1e-5 if encoding == "f32" else 2e-3)


@pytest.mark.asyncio
async def test_every_client_has_a_connection_of_its_own_for_all_its_streams() -> None:
    async with loopback() as server:
        clients = [AsyncClient(server.server.address) for _ in range(3)]
        for client in (*clients, clients[0]):
            async with client.animate() as stream:
                await stream.finish()
        sockets = psutil.Process().net_connections("tcp")
        assert len({one.raddr for one in sockets if one.raddr and one.laddr.port == server.server.port}) == 3
        for client in clients:
            await client.close()


@pytest.mark.asyncio
async def test_events_stand_between_the_frames() -> None:
    async with loopback() as server, AsyncClient(server.server.address) as client, client.animate() as stream:
        await stream.send(SPEECH[:8000])
        await stream.flush(7)
        await stream.send(SPEECH[:8000], first_sample=9600)
        await stream.control(mouth_strength=0.0)
        await stream.finish()
        messages = [message async for message in stream.messages()]
    events = [message for message in messages if not isinstance(message, Frames)]
    (done,) = [event for event in events if isinstance(event, FlushDone)]
    assert done.marker_id == 7
    assert Gap(8000, 1600) in events
    started, *_, ended = [event for event in events if isinstance(event, SpeechStarted | SpeechEnded)]
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert started.sample < 3200 < 9600 < ended.sample


@pytest.mark.asyncio
async def test_errors_are_those_of_the_tree_with_their_facts() -> None:
    async with loopback(max_streams=1) as server, AsyncClient(server.server.address) as client:

        async def error_of(act: Callable[[Any], Any], **options: Any) -> FacestreamError:
            with pytest.raises(FacestreamError) as caught:
                async with client.animate(**options) as stream:
                    await act(stream)
                    await stream.finish()
                    async for _ in stream:
                        pass
            while server.server.host.streams:
                await asyncio.sleep(0.001)
            return caught.value

        async def nothing(stream: Any) -> None:
            pass

        error = await error_of(nothing, model="nobody")
        assert isinstance(error, NotFound)
        assert error.known == ["synthetic"]
        error = await error_of(nothing, sample_rate_hz=4000)
        assert isinstance(error, AudioError)
        assert (error.field, error.received) == ("config.audio_format.sample_rate_hz", "4000")
        error = await error_of(lambda stream: stream.send(b"123"))
        assert isinstance(error, AudioError)
        assert error.field == "audio.data"
        error = await error_of(lambda stream: stream.send(SPEECH, first_sample=-1))
        assert isinstance(error, PositionError)
        assert (error.received, error.expected) == (-1, 0)
        error = await error_of(lambda stream: stream.send(np.full(100, np.nan, np.float32)))
        assert isinstance(error, InvalidValue)
        async with client.animate():
            error = await error_of_second(client)
            assert isinstance(error, Busy)
            assert error.retry_after_s == 1.0
        with pytest.raises(AudioError, match="at least one sample"):
            await client.animate_clip(np.zeros(0, np.float32))


async def error_of_second(client: AsyncClient) -> FacestreamError:
    with pytest.raises(FacestreamError) as caught:
        async with client.animate(resume=False):
            pass
    return caught.value


@pytest.mark.asyncio
async def test_using_a_stream_wrongly_is_said_plainly() -> None:
    async with loopback() as server, AsyncClient(server.server.address) as client:
        with pytest.raises(OutOfOrder, match="async with"):
            await client.animate().send(SPEECH)
        with pytest.raises(InvalidValue, match="sample_rate; allowed: sample_rate_hz"):
            client.animate(sample_rate=16000)
        with pytest.raises(InvalidValue, match="not both"):
            client.animate(StreamOptions(), seed=1)
        async with client.animate() as stream:
            await stream.finish()
            assert [frames async for frames in stream] == []
            with pytest.raises(OutOfOrder, match="has ended"):
                await stream.send(SPEECH)
    with pytest.raises(InvalidValue, match="host:port"):
        AsyncClient("  ")


@pytest.mark.asyncio
async def test_no_server_is_one_clear_error() -> None:
    async with AsyncClient("127.0.0.1:1") as client:
        with pytest.raises(Unavailable, match=r"no connection to 127\.0\.0\.1:1.*is the server running"):
            async with client.animate():
                pass
        with pytest.raises(Unavailable):
            await client.models()


@pytest.mark.asyncio
async def test_a_clip_comes_whole_from_an_array_and_from_chunks() -> None:
    async def chunks() -> AsyncIterator[Float32]:
        for piece in np.split(SPEECH, 8):
            yield piece

    seen = []
    async with loopback() as server, AsyncClient(server.server.address) as client:
        options = StreamOptions(encoding="f32", seed=1)
        whole = await client.animate_clip(SPEECH, options, on_frames=seen.append)
        cut = await client.animate_clip(chunks(), options)
        assert whole.frames.first_index == 0
        assert sum(run.count for run in seen) == whole.frames.count
        np.testing.assert_allclose(whole.frames.weights, reference(SPEECH).weights, atol=1e-5)
        np.testing.assert_allclose(whole.frames.weights, cut.frames.weights, atol=1e-5)
        assert not server.server.host.streams or not await asyncio.sleep(0.01)


@pytest.mark.asyncio
@pytest.mark.parametrize("rate_hz", [16000, 44100])
async def test_a_lost_connection_is_resumed_without_a_seam(rate_hz: int) -> None:
    pcm = np.interp(np.arange(6 * rate_hz) / rate_hz, np.arange(6 * RATE_HZ) / RATE_HZ, speech(6.0)).astype(np.float32)
    pieces = np.array_split(pcm, 60)
    first = Server(settings(), load=lambda: [synthetic_pipeline()])
    await first.start()
    options = StreamOptions(sample_rate_hz=rate_hz, encoding="f32", seed=1)
    runs: list[Frames] = []
    async with AsyncClient(first.address) as client, client.animate(options) as stream:

        async def read() -> None:
            async for frames in stream:
                runs.append(frames)

        reading = asyncio.create_task(read())
        seeds = {stream.info.seed}
        for number, piece in enumerate(pieces):
            if number == 35:  # mid-word, with frames on the way
                again = Server(settings(port=first.port), load=lambda: [synthetic_pipeline()])
                await first.stop()
                await again.start()
            await stream.send(piece)
            await asyncio.sleep(0.002)
        await stream.flush(5)
        await stream.finish()
        await reading
        seeds.add(stream.info.seed)
    await again.stop()
    position = 0
    for run in runs:
        assert run.first_index == position, "no frame lost, none twice"
        position = run.end_index
    expected = reference(pcm, sample_rate_hz=rate_hz)
    weights = np.concatenate([run.weights for run in runs])
    assert seeds == {1}
    np.testing.assert_allclose(weights[:, INDEX["jawOpen"]], expected.weights[:, INDEX["jawOpen"]], atol=2e-3)


@pytest.mark.asyncio
async def test_a_token_of_another_model_is_refused() -> None:
    async with loopback() as server, AsyncClient(server.server.address) as client, client.animate(seed=3) as stream:
        stream._options = StreamOptions(frame_rate=FrameRate(60))
        with pytest.raises(InvalidValue, match="30/1 fps"):
            await stream._continue_on_new_call()


def test_the_plain_client_does_the_same_from_any_thread() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = Server(settings(), load=lambda: [synthetic_pipeline()])
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        with Client(server.address) as client:
            assert [model.name for model in client.models()] == ["synthetic"]
            clip = client.animate_clip(SPEECH, encoding="f32", seed=1)
            with client.animate(encoding="f32", seed=1) as stream:
                for piece in np.split(SPEECH, 10):
                    stream.send(piece)
                stream.flush(1)
                stream.control(blinks=True)
                stream.finish()
                live = [frames.weights for frames in stream]
            np.testing.assert_allclose(np.concatenate(live), clip.frames.weights, atol=1e-5)
            with pytest.raises(NotFound), client.animate(model="nobody"):
                pass
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.asyncio
async def test_the_feeder_keeps_the_pace_without_adding_up_delays() -> None:
    now_s = 0.0

    async def oversleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds + 0.015  # the loop is busy: every wake-up is late

    sent = []
    async for piece in at_live_pace(
        np.zeros(RATE_HZ, np.float32), RATE_HZ, chunk_ms=40, now=lambda: now_s, sleep=oversleep
    ):
        sent.append((now_s, piece.size))
    assert [size for _, size in sent] == [640] * 25
    for number, (at_s, _) in enumerate(sent, 1):
        assert 0.04 * number <= at_s <= 0.04 * number + 0.016, "never before its last sample, and late only once"


@pytest.mark.asyncio
async def test_new_audio_waits_while_a_stream_goes_over_to_another_call() -> None:
    pcm = speech(0.04)
    async with (
        loopback() as server,
        AsyncClient(server.server.address) as client,
        client.animate(StreamOptions(seed=1)) as stream,
    ):
        async with stream._reopening:  # what is sent again goes first
            sending = asyncio.create_task(stream.send(pcm))
            await asyncio.sleep(0.05)
            assert stream._history.end_sample == 0
        await sending
        assert stream._history.end_sample == pcm.size
        await stream.finish()
        assert sum([frames.count async for frames in stream]) > 0
