"""Calls over WebSockets: the same answers as over gRPC, message by message."""

import asyncio
import contextlib
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from facestream.acting import Emotion
from facestream.client import AsyncClient
from facestream.curves import INDEX
from facestream.errors import InvalidValue
from facestream.serving.host import HeardEmotion
from facestream.serving.pipeline import Pipeline
from facestream.transports.server import Server
from facestream.types import Float32
from facestream.v1.animation_service_pb2 import (
    AnimateClipRequest,
    AnimateClipResponse,
    AnimateRequest,
    HearEmotionConfig,
    HearEmotionRequest,
    HearEmotionResponse,
    ListModelsRequest,
    ListModelsResponse,
)
from facestream.v1.audio_pb2 import AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import FrameRate, MotionControls, ResumePoint
from facestream.v1.control_pb2 import Control, Flush
from tests.transports.loopback import (
    RATE_HZ,
    audio,
    clip_audio,
    config,
    config_message,
    converse,
    loopback,
    settings,
    speech,
    synthetic_pipeline,
    until,
)
from tests.transports.web_loopback import BINARY, JSON, SERVICE, WebCall, token_subprotocol, web_call, web_converse

JAW = INDEX["jawOpen"]
CHANNELS = 8


def weights_of(answers: list[Any]) -> Float32:
    rows = [np.array(answer.frames.weights, np.float32) for answer in answers if answer.HasField("frames")]
    return np.concatenate(rows).reshape(-1, 52)


def story() -> list[AnimateRequest]:
    """A bit of everything that a live stream can be told."""
    pcm = speech(2.0)
    return [
        config(),
        *(audio(piece) for piece in np.split(pcm[:RATE_HZ], 25)),
        AnimateRequest(control=Control(controls=MotionControls(mouth_strength=0.5, blinks=False))),
        AnimateRequest(flush=Flush(marker_id=7)),
        audio(pcm[RATE_HZ:], first_sample=RATE_HZ + 800),
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("variant", [BINARY, JSON])
async def test_answers_equal_those_over_grpc(variant: str) -> None:
    async with loopback(websocket_port=0) as server:
        over_grpc = await converse(server.stub.Animate(), *story())
        async with web_call(server.server.web_address, variant=variant) as call:
            over_web = await web_converse(call, *story())
            assert (call.close_code, call.status) == (1000, None)
        assert over_web[0].started.curve_names == over_grpc[0].started.curve_names
        assert over_web[0].started.seed == over_grpc[0].started.seed == 1
        assert weights_of(over_web).size > 60 * 52
        assert weights_of(over_web)[:, JAW].max() > 0.3
        np.testing.assert_array_equal(weights_of(over_web), weights_of(over_grpc))
        for name in ("head_rotation", "left_eye_rotation", "right_eye_rotation"):
            ours, theirs = (
                [value for answer in answers for value in getattr(answer.frames, name)]
                for answers in (over_web, over_grpc)
            )
            assert ours == theirs
            assert ours
        events = [_lasting_events(answers) for answers in (over_web, over_grpc)]
        assert events[0] == events[1]
        assert any("flush_done" in event for event in events[0])
        assert any("gap" in event for event in events[0])
        assert server.open_rows == 0


def _lasting_events(answers: list[Any]) -> list[str]:
    """What does not depend on how fast this machine is just now."""
    events = [answer.event for answer in answers if answer.HasField("event")]
    for event in events:
        if event.HasField("flush_done"):
            event.flush_done.ClearField("next_frame_index")
    return [str(event) for event in events if not event.HasField("ahead_of_real_time")]


@pytest.mark.asyncio
@pytest.mark.parametrize("variant", [BINARY, JSON])
async def test_clips_and_models(variant: str) -> None:
    pcm = speech(3.0)
    async with loopback(websocket_port=0) as server:
        address = server.server.web_address
        requests = [AnimateClipRequest(config=config_message()), *map(clip_audio, np.split(pcm, 6))]
        over_grpc = await converse(server.stub.AnimateClip(), *requests)
        async with web_call(address, "AnimateClip", response=AnimateClipResponse, variant=variant) as call:
            over_web = await web_converse(call, *requests)
        np.testing.assert_array_equal(weights_of(over_web), weights_of(over_grpc))
        async with web_call(address, "ListModels", response=ListModelsResponse, variant=variant) as call:
            assert await web_converse(call) == [await server.stub.ListModels(ListModelsRequest())]
            assert call.close_code == 1000


@pytest.mark.asyncio
@pytest.mark.parametrize("variant", [BINARY, JSON])
async def test_the_emotion_of_a_clip_is_heard(variant: str) -> None:
    async with loopback(websocket_port=0) as server:
        heard = Emotion(np.array([0.6, 0.8], np.float32), np.array([-1, -2], np.float32))

        async def hear(model: str, samples: Float32, rate_hz: int) -> Any:
            return HeardEmotion(model or "actor", f"{samples.size} at {rate_hz}", heard)

        server.server.host.hear_emotion = hear  # type: ignore[method-assign]
        audio_format = config_message().audio_format
        requests = [HearEmotionRequest(config=HearEmotionConfig(audio_format=audio_format))]
        requests += [HearEmotionRequest(audio=audio(piece).audio) for piece in np.split(speech(1.0), 4)]
        async with web_call(
            server.server.web_address, "HearEmotion", response=HearEmotionResponse, variant=variant
        ) as call:
            answers = await web_converse(call, *requests)
        assert [(one.model, one.model_version) for one in answers] == [("actor", "16000 at 16000")]
        np.testing.assert_allclose(answers[0].emotion.mean, heard.mean)


@pytest.mark.asyncio
async def test_a_broken_stream_is_continued() -> None:
    pcm = speech(6.0)
    pieces = np.split(pcm, 150)
    async with loopback(websocket_port=0) as server:
        async with web_call(server.server.web_address) as call:
            whole = weights_of(await web_converse(call, config(), *map(audio, pieces)))
        async with web_call(server.server.web_address) as call:
            await call.write(config())
            token = (await call.read()).started.resume_token
            for piece in pieces[:100]:
                await call.write(audio(piece))
            frames: list[Any] = []
            while sum(one.frames.frame_count for one in frames) < 80:
                frames.append(await call.read())
            call.connection.transport.abort()
        begun = weights_of(frames)
        await until(lambda: server.open_rows == 0)
        first_sample = len(begun) * RATE_HZ // 30 // 12800 * 12800 - 2 * 12800
        resume = ResumePoint(token=token, first_sample=max(0, first_sample), first_frame_index=len(begun))
        async with web_call(server.server.web_address) as call:
            rest = await web_converse(call, config(resume=resume), audio(pcm[first_sample:][:RATE_HZ]),
                                      *map(audio, np.array_split(pcm[first_sample + RATE_HZ :], 20)))  # fmt: skip
            assert call.close_code == 1000
        assert next(one.frames for one in rest if one.HasField("frames")).first_frame_index == len(begun)
        np.testing.assert_allclose(np.concatenate([begun, weights_of(rest)]), whole, atol=1e-4)


@pytest.mark.asyncio
@pytest.mark.parametrize("leave", ["close", "abort"])
async def test_who_leaves_frees_the_row(leave: str) -> None:
    async with loopback(websocket_port=0) as server, web_call(server.server.web_address) as call:
        await call.write(config())
        await call.write(audio(speech(0.5)))
        assert (await call.read()).HasField("started")
        assert server.open_rows == 1
        if leave == "close":
            await call.connection.close()
        else:
            call.connection.transport.abort()
        await until(lambda: server.open_rows == 0)


@pytest.mark.asyncio
async def test_draining_tells_and_then_ends() -> None:
    async with loopback(websocket_port=0, drain_grace_s=0.2) as server:
        async with web_call(server.server.web_address) as call:
            await call.write(config())
            await call.write(audio(speech(0.5)))
            assert (await call.read()).HasField("started")
            draining = asyncio.create_task(server.server.drain())
            answers = await call.read_all()
            assert [one for one in answers if one.event.HasField("going_away")]
            assert call.close_code == 4014
            assert call.status is not None
            assert call.detail("ErrorInfo")["reason"] == "UNAVAILABLE"
            await draining
        async with web_call(server.server.web_address) as call:
            assert await web_converse(call, config()) == []
            assert call.close_code == 4014
            assert call.detail("RetryInfo")["retryDelay"] == "1s"


@pytest.mark.asyncio
async def test_who_is_slow_to_close_still_gets_the_last_frames() -> None:
    async with loopback(websocket_port=0) as server:
        address = server.server.web_address
        async with web_call(address, sock=narrow_socket(address), max_queue=1) as call:
            await call.write(config(frame_rate=FrameRate(numerator=60), slow_reader_policy=0))  # not said
            (stream,) = [await call.read()] and server.server.host.streams
            await call.write(audio(speech(1.0)))
            await call.finish()
            await until(lambda: stream.is_released)
            await asyncio.sleep(1.2)  # longer than the server waits when it stops
            answers = await call.read_all()
            assert call.close_code == 1000
        assert len(weights_of(answers)) >= 60


@pytest.mark.asyncio
@pytest.mark.parametrize("variant", [BINARY, JSON])
async def test_a_client_that_wants_to_close_is_told_the_end_and_may(variant: str) -> None:
    async def frames_of(*protocols: str, model: str = "") -> tuple[list[str | bytes], int | None]:
        frames: list[str | bytes] = []
        async with web_call(server.server.web_address, variant=variant, more_protocols=protocols) as call:
            for request in (config(model=model), audio(speech(0.5))):
                await call.write(request)
            await call.finish()
            with contextlib.suppress(ConnectionClosed):
                while not frames or frames[-1]:
                    frames.append(await call.connection.recv())
            await call.connection.close(1000)
        return frames, call.close_code

    async with loopback(websocket_port=0) as server:
        for model in ("", "nobody"):
            closed_for, _ = await frames_of(model=model)
            closing, code = await frames_of("facestream.client-closes", model=model)
            assert len(closing) == len(closed_for) + 1
            assert (closing[-1], code) == ("" if variant == JSON else b"", 1000)
        await until(lambda: server.open_rows == 0)


@pytest.mark.asyncio
async def test_stopping_ends_calls_and_frees_the_port() -> None:
    async with loopback(websocket_port=0) as server:
        address = server.server.web_address
        assert address is not None
        async with web_call(address) as call:
            await call.write(config())
            assert (await call.read()).HasField("started")
            await server.server.stop()
            assert await call.read() is None
            assert call.close_code == 4014
    async with loopback(websocket_port=int(address.rpartition(":")[2])):
        pass


def narrow_socket(address: str | None) -> socket.socket:
    """A connection for which this end's system keeps next to nothing, so that waiting is felt at once."""
    assert address is not None
    host, port = address.split(":")
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    narrow.connect((host, int(port)))
    narrow.setblocking(False)
    return narrow


@pytest.mark.asyncio
async def test_a_busy_engine_stops_the_sender_and_loses_nothing() -> None:
    gate = threading.Event()
    gate.set()
    audio_format = AudioFormat(
        encoding=AudioEncoding.AUDIO_ENCODING_F32LE, sample_rate_hz=48000, channel_count=CHANNELS
    )  # so much a second that the sockets hold a fraction of one
    pieces = np.split(np.repeat(np.tile(speech(4.0), 3), CHANNELS), 120)
    sent = 0

    async def send(call: WebCall) -> None:
        nonlocal sent
        for piece in pieces:
            await call.write(audio(piece))
            sent += 1
        await call.finish()

    def held_pipeline() -> Pipeline:
        return synthetic_pipeline(step_s=1e-9, sleep=lambda _: gate.wait())

    async with loopback(held_pipeline, websocket_port=0, stuck_after_s=100) as server:
        address = server.server.web_address
        async with web_call(address, sock=narrow_socket(address)) as call:
            await call.write(config(audio_format=audio_format))
            assert (await call.read()).HasField("started")
            (stream,) = server.server.host.streams
            gate.clear()
            try:
                sending = asyncio.create_task(send(call))
                await until(lambda: not stream.is_waiting_for_audio)
                held = -1
                while held != sent:
                    held = sent
                    await asyncio.sleep(0.2)
                assert 60 <= sent < 100, "two seconds, and what the sockets and the library hold"
                assert stream.live.buffered_samples < 2.2 * 48000
            finally:
                gate.set()
            answers = await call.read_all()
            await sending
        assert call.close_code == 1000
        assert len(weights_of(answers)) >= 4 * 30


@pytest.mark.asyncio
async def test_a_slow_reader_loses_the_oldest_frames_and_is_told() -> None:
    async with loopback(websocket_port=0, outbox_bound_s=0.2) as server:
        address = server.server.web_address
        async with web_call(address, max_queue=1, sock=narrow_socket(address)) as call:
            await call.write(config(frame_rate=FrameRate(numerator=60), slow_reader_policy=0))  # not said
            (stream,) = [await call.read()] and server.server.host.streams
            for piece in np.split(speech(12.0), 30):
                await call.write(audio(piece))
            await call.finish()
            await until(lambda: stream.is_released)
            answers = await call.read_all()
    dropped = [one.event.frames_dropped for one in answers if one.event.HasField("frames_dropped")]
    assert dropped
    frames = [one.frames for one in answers if one.HasField("frames")]
    kept = sum(run.frame_count for run in frames)
    assert kept + sum(one.frame_count for one in dropped) == frames[-1].first_frame_index + frames[-1].frame_count
    assert call.close_code == 1000


@pytest.mark.asyncio
async def test_tokens_come_as_header_or_subprotocol_and_never_in_the_address() -> None:
    secret = "a token / with = anything ü"
    async with loopback(websocket_port=0, tokens=(secret, "plain")) as server:
        address = server.server.web_address
        for fields in (
            {"additional_headers": {"Authorization": "Bearer plain"}},
            {"more_protocols": [token_subprotocol(secret)]},
            {"more_protocols": [token_subprotocol("plain")], "variant": JSON},
        ):
            async with web_call(address, "ListModels", response=ListModelsResponse, **fields) as call:
                assert len(await web_converse(call)) == 1
        async with AsyncClient(server.server.address, token="plain") as client:
            assert await client.models()
        for fields, words in (
            ({}, "no credentials"),
            ({"method": "Animate?token=plain"}, "no credentials"),
            ({"additional_headers": {"Authorization": "Bearer other"}}, "not accepted"),
            ({"additional_headers": {"Authorization": "Basic plain"}}, "not accepted"),
            ({"more_protocols": [token_subprotocol("other")]}, "not accepted"),
            ({"more_protocols": ["facestream.token.~~~"]}, "not accepted"),
        ):
            async with web_call(address, **fields) as call:
                assert await web_converse(call, config()) == []
                assert call.close_code == 4016
                assert call.status is not None
                assert call.detail("ErrorInfo")["reason"] == "UNAUTHENTICATED"
                assert words in call.status["message"]
                assert (call.close_reason or "").startswith("UNAUTHENTICATED: ")


@pytest.mark.asyncio
async def test_pages_of_other_sites_are_turned_away() -> None:
    async with loopback(websocket_port=0, websocket_origins=("https://game.example",)) as server:
        address = server.server.web_address
        for welcome in (f"http://{address}", "https://game.example"):
            async with web_call(address, "ListModels", response=ListModelsResponse, origin=welcome) as call:
                assert len(await web_converse(call)) == 1
        for stranger in ("https://evil.example", "http://game.example", "null", "http://[", f"http://{address}.evil"):
            with pytest.raises(InvalidStatus) as caught:
                async with web_call(address, origin=stranger):
                    pass
            assert caught.value.response.status_code == 403
            assert b"websocket_origins" in (caught.value.response.body or b"")
    async with (
        loopback(websocket_port=0, websocket_origins=("*",)) as server,
        web_call(server.server.web_address, origin="https://evil.example") as call,
    ):
        assert await web_converse(call, config(), audio(speech(0.1)))


@pytest.mark.asyncio
async def test_tls(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    identity = authority.issue_cert("localhost")
    identity.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in identity.cert_chain_pems:
        blob.write_to_path(tmp_path / "chain.pem", append=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    files = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    async with loopback(host="localhost", websocket_port=0, **files) as server:
        assert server.server.addresses.web_url == f"wss://{server.server.web_address}/"
        url = f"{server.server.addresses.web_url}{SERVICE}/ListModels"
        async with connect(url, subprotocols=[Subprotocol(JSON)], ssl=trusting) as connection:
            await connection.send("{}")
            assert "synthetic" in str(await connection.recv())
        with pytest.raises((InvalidMessage, ConnectionError)):
            async with web_call(server.server.web_address):
                pass
    other.issue_cert("localhost").private_key_pem.write_to_path(tmp_path / "key.pem")
    with pytest.raises(InvalidValue, match=r"tls_certificate.*belongs to it"):
        await Server(settings(websocket_port=0, **files), load=lambda: [synthetic_pipeline()]).start()


@pytest.mark.asyncio
async def test_a_taken_port_is_one_clear_error() -> None:
    async with loopback(websocket_port=0) as server:
        assert server.server.web_address is not None
        taken = int(server.server.web_address.rpartition(":")[2])
        with pytest.raises(InvalidValue, match=f"websocket_port: got 127.0.0.1:{taken} .*another server running"):
            await Server(settings(websocket_port=taken), load=lambda: [synthetic_pipeline()]).start()


@pytest.mark.asyncio
async def test_no_port_unless_asked() -> None:
    async with loopback() as server:
        assert (server.server.web_address, server.server.addresses.web_url) == (None, None)
