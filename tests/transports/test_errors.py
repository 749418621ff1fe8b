"""Everything a client can do wrong: each has one code, one reason, the field to blame, and disturbs nobody else."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from facestream.client.call import Call
from facestream.errors import FacestreamError
from facestream.v1.animation_service_pb2 import AnimateClipRequest, AnimateRequest
from facestream.v1.audio_pb2 import AudioChunk, AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import FrameRate, MotionControls, ResumePoint
from facestream.v1.control_pb2 import Control, Flush
from tests.transports.loopback import (
    RATE_HZ,
    Loopback,
    audio,
    clip_audio,
    config,
    config_message,
    converse,
    loopback,
    speech,
    until,
)

Code = grpc.StatusCode


@dataclass(frozen=True)
class Refusal:
    code: grpc.StatusCode
    reason: str | None
    field: str | None
    message: str
    retry_s: float | None


async def refusal_of(call: Any, requests: Sequence[Any]) -> Refusal:
    conversation: Call[Any, Any] = Call(call, "the server under test")
    with contextlib.suppress(FacestreamError):  # refused before everything was sent
        for request in requests:
            await conversation.write(request)
        await conversation.half_close()
    with pytest.raises(FacestreamError):
        while await conversation.read() is not None:
            pass
    error = conversation.end
    assert error is not None
    status = rpc_status.from_call(error)
    found: dict[type, Any] = {}
    for packed in status.details if status else ():
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            detail = kind()
            if packed.Unpack(detail):
                found[kind] = detail
    info, bad, retry = (found.get(kind) for kind in (ErrorInfo, BadRequest, RetryInfo))
    assert info is None or info.domain == "facestream"
    return Refusal(
        error.code(),
        info.reason if info else None,
        bad.field_violations[0].field if bad else None,
        error.details() or "",
        retry.retry_delay.ToMilliseconds() / 1000 if retry else None,
    )


def audio_format(
    encoding: Any = AudioEncoding.AUDIO_ENCODING_F32LE, rate_hz: int = RATE_HZ, channels: int = 1
) -> AudioFormat:
    return AudioFormat(encoding=encoding, sample_rate_hz=rate_hz, channel_count=channels)


def control(**fields: Any) -> AnimateRequest:
    at_sample = fields.pop("at_sample", None)
    return AnimateRequest(control=Control(at_sample=at_sample, controls=MotionControls(**fields)))


WORD = speech(0.2)
NAN = WORD.copy()
NAN[7] = np.nan

BAD_LIVE: dict[str, tuple[list[AnimateRequest], grpc.StatusCode, str | None, str | None, str]] = {
    "0 Hz": (
        [config(audio_format=audio_format(rate_hz=0))],
        Code.INVALID_ARGUMENT, "BAD_AUDIO", "config.audio_format.sample_rate_hz", "got 0; allowed: 8000 to 144000",
    ),
    "192 kHz": (
        [config(audio_format=audio_format(rate_hz=192_000))],
        Code.INVALID_ARGUMENT, "BAD_AUDIO", "config.audio_format.sample_rate_hz", "got 192000",
    ),
    "9 channels": (
        [config(audio_format=audio_format(channels=9))],
        Code.INVALID_ARGUMENT, "BAD_AUDIO", "config.audio_format.channel_count", "got 9; allowed: 1 to 8",
    ),
    "no encoding": (
        [config(audio_format=audio_format(encoding=0))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.audio_format.encoding", "AUDIO_ENCODING_S16LE",
    ),
    "unknown encoding": (
        [config(audio_format=audio_format(encoding=99))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.audio_format.encoding", "got 99",
    ),
    "no format at all": (
        [AnimateRequest(config={})],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.audio_format.encoding", "got 0",
    ),
    "frame rate 0/0": (
        [config(frame_rate=FrameRate())],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.frame_rate", "got 0/1",
    ),
    "frame rate 240": (
        [config(frame_rate=FrameRate(numerator=240, denominator=1))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.frame_rate", "got 240/1; allowed: a ratio",
    ),
    "frame rate 20": (
        [config(frame_rate=FrameRate(numerator=20, denominator=1))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.frame_rate", "got 20/1",
    ),
    "mouth strength 3": (
        [config(controls=MotionControls(mouth_strength=3))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.controls.mouth_strength", "got 3.0",
    ),
    "unknown slow reader policy": (
        [config(slow_reader_policy=7)],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.slow_reader_policy", "got 7",
    ),
    "unknown model": (
        [config(model="nobody")],
        Code.NOT_FOUND, "UNKNOWN_NAME", None, "no model named 'nobody'; there is: synthetic",
    ),
    "model name of 100 kB": (
        [config(model="é" * 100_000)],
        Code.NOT_FOUND, "UNKNOWN_NAME", None, "no model named",
    ),
    "unknown curve set": (
        [config(curve_set="metahuman")],
        Code.NOT_FOUND, "UNKNOWN_NAME", None, "no curve set named 'metahuman'; there is: arkit52",
    ),
    "resume token that is none": (
        [config(resume=ResumePoint(token="abc", first_sample=0))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.resume.token", "StreamStarted.resume_token",
    ),
    "resume before the start": (
        [config(resume=ResumePoint(token="abc", first_sample=-1))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "config.resume.first_sample", "got -1",
    ),
    "audio before config": ([audio(WORD)], Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "first message was audio"),
    "nothing before config": ([], Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "the first message was nothing"),
    "empty first message": ([AnimateRequest()], Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "an empty message"),
    "second config": ([config(), config()], Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "a second 'config'"),
    "empty message": ([config(), AnimateRequest()], Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "an empty message"),
    "no samples": ([config(), audio(b"")], Code.INVALID_ARGUMENT, "BAD_AUDIO", "audio.data", "got 0 bytes"),
    "odd byte count": ([config(), audio(b"abc")], Code.INVALID_ARGUMENT, "BAD_AUDIO", "audio.data", "got 3 bytes"),
    "NaN samples": ([config(), audio(NAN)], Code.INVALID_ARGUMENT, "BAD_AUDIO", "audio.data", "nan at sample 7"),
    "a chunk of two seconds": (
        [config(), audio(speech(2.0))],
        Code.INVALID_ARGUMENT, "BAD_AUDIO", "audio.data", "got 32000 samples; allowed: at most 16000",
    ),
    "position that goes back": (
        [config(), audio(WORD), audio(WORD, first_sample=10)],
        Code.OUT_OF_RANGE, "POSITION_WENT_BACK", "audio.first_sample", "got 10, but samples up to 3200",
    ),
    "negative position": (
        [config(), audio(WORD, first_sample=-5)],
        Code.OUT_OF_RANGE, "POSITION_WENT_BACK", "audio.first_sample", "got -5",
    ),
    "gap of an hour": (
        [config(), audio(WORD, first_sample=3600 * RATE_HZ)],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "audio.first_sample", "got 57600000",
    ),
    "the largest position there is": (
        [config(), audio(WORD, first_sample=2**63 - 1)],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "audio.first_sample", "a gap of",
    ),
    "control for the past": (
        [config(), audio(WORD), control(at_sample=1, blinks=False)],
        Code.OUT_OF_RANGE, "POSITION_WENT_BACK", "control.at_sample", "got 1",
    ),
    "control with NaN": (
        [config(), control(mouth_strength=float("nan"))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "control.controls.mouth_strength", "got nan",
    ),
    "control for next year": (
        [config(), control(at_sample=2**60, blinks=False)],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "control.at_sample", "30 s beyond",
    ),
    "a thousand markers before any audio is due": (
        [config(), audio(WORD), *(AnimateRequest(flush=Flush(marker_id=marker)) for marker in range(1000))],
        Code.FAILED_PRECONDITION, "OUT_OF_ORDER", None, "more than 64 markers",
    ),
    "a thousand controls": (
        [config(), audio(WORD), *(control(blinks=True) for _ in range(1000))],
        Code.INVALID_ARGUMENT, "INVALID_VALUE", "control", "at most 64",
    ),
    "message of 320 kB": (
        [config(), audio(speech(5.0))], Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_BIG", "message", "at most 262144 bytes",
    ),
    # gRPC itself answers here, so there is no detail
    "message of 6 MB": ([config(), audio(speech(100.0))], Code.RESOURCE_EXHAUSTED, None, None, "larger than max"),
}  # fmt: skip


@pytest.mark.asyncio
async def test_each_live_mistake_has_its_status_and_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback() as server:
        witness = asyncio.create_task(_witness(server))
        for case, (requests, code, reason, field, words) in BAD_LIVE.items():
            refusal = await refusal_of(server.stub.Animate(), requests)
            assert (refusal.code, refusal.reason, refusal.field) == (code, reason, field), (case, refusal)
            assert words in refusal.message, (case, refusal.message)
            assert len(refusal.message.encode()) < 600, case
            # only the witness may hold a row; a step under way keeps the other one until it ends
            await until(lambda: server.open_rows <= 1)
        weights = await witness
    async with loopback() as server:
        np.testing.assert_array_equal(weights, await _witness(server))
    assert not [record for record in caplog.records if record.exc_info], "a client's mistake is not worth a traceback"


async def _witness(server: Loopback) -> Any:
    """A well-behaved stream that lives beside all the others."""
    call = server.stub.Animate()
    await call.write(config())
    for piece in np.split(speech(2.0, seed=9), 40):
        await call.write(audio(piece))
        await asyncio.sleep(0.002)
    await call.done_writing()
    return np.concatenate([answer.frames.weights async for answer in call if answer.HasField("frames")])


BAD_CLIP: dict[str, tuple[list[AnimateClipRequest], str, str]] = {
    "no audio": ([AnimateClipRequest(config=config_message())], "BAD_AUDIO", "audio"),
    "resume": ([AnimateClipRequest(config=config_message(resume=ResumePoint()))], "INVALID_VALUE", "config.resume"),
    "slow reader policy": (
        [AnimateClipRequest(config=config_message(slow_reader_policy=1))], "INVALID_VALUE", "config.slow_reader_policy",
    ),
    "NaN": ([AnimateClipRequest(config=config_message()), clip_audio(NAN)], "BAD_AUDIO", "audio.data"),
}  # fmt: skip


@pytest.mark.asyncio
async def test_each_clip_mistake_has_its_status() -> None:
    async with loopback() as server:
        for case, (requests, reason, field) in BAD_CLIP.items():
            refusal = await refusal_of(server.stub.AnimateClip(), requests)
            assert (refusal.code, refusal.reason, refusal.field) == (Code.INVALID_ARGUMENT, reason, field), case
        assert server.open_rows == 0


@pytest.mark.asyncio
async def test_bytes_that_are_no_message(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback() as server:
        call = server.channel.stream_stream("/facestream.v1.AnimationService/Animate")()
        refusal = await refusal_of(call, [b"\xff\xff\xff"])
        assert (refusal.code, refusal.field) == (Code.INVALID_ARGUMENT, "message")
        assert not caplog.records or not any(record.exc_info for record in caplog.records)


@pytest.mark.asyncio
async def test_a_full_house_refuses_with_a_retry_hint() -> None:
    async with loopback(max_streams=2, max_clips=1) as server:
        inside = [server.stub.Animate() for _ in range(2)]
        for call in inside:
            await call.write(config())
            assert (await call.read()).HasField("started")
        refusal = await refusal_of(server.stub.Animate(), [config()])
        assert (refusal.code, refusal.reason) == (Code.RESOURCE_EXHAUSTED, "BUSY")
        assert refusal.retry_s == 1.0
        # clips have places of their own
        answers = await converse(
            server.stub.AnimateClip(), AnimateClipRequest(config=config_message()), clip_audio(WORD)
        )
        assert any(answer.HasField("frames") for answer in answers)
        # a place given back is taken again
        inside[0].cancel()
        while server.open_rows > 1:
            await asyncio.sleep(0.001)
        assert await converse(server.stub.Animate(), config(), audio(WORD))


@pytest.mark.asyncio
async def test_start_timeout_ends_a_call_that_says_nothing() -> None:
    async with loopback(start_timeout_s=0.05) as server:
        call = server.stub.Animate()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() == Code.DEADLINE_EXCEEDED
        assert "send 'config'" in (caught.value.details() or "")


@pytest.mark.asyncio
async def test_audio_chunk_split_off_its_format_is_named() -> None:
    stereo = audio_format(AudioEncoding.AUDIO_ENCODING_S16LE, channels=2)
    async with loopback() as server:
        refusal = await refusal_of(
            server.stub.Animate(), [config(audio_format=stereo), AnimateRequest(audio=AudioChunk(data=b"123456"))]
        )
        assert (refusal.code, refusal.field) == (Code.INVALID_ARGUMENT, "audio.data")
        assert "2 channels" in refusal.message
