"""The asyncio client.

async with AsyncClient("localhost:50051") as client:
async with client.animate(sample_rate_hz=16000) as stream:
await stream.send(pcm)
await stream.finish()
async for frames in stream:
print(frames.first_index, frames.weights.shape)
"""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc

from facestream import __version__
from facestream.acting import Emotion
from facestream.client.acting import emotion_of
from facestream.client.call import Call
from facestream.client.messages import event_of, frames_of, info_of, model_of
from facestream.client.options import ModelInfo, Pcm, StreamInfo, StreamOptions
from facestream.client.status_errors import error_of
from facestream.client.stream import AnimationStream
from facestream.errors import InvalidValue, OutOfOrder
from facestream.events import StreamEvent
from facestream.types import Frames, joined_frames
from facestream.v1.animation_service_pb2 import (
    AnimateClipRequest,
    HearEmotionConfig,
    HearEmotionRequest,
    ListModelsRequest,
)
from facestream.v1.animation_service_pb2_grpc import AnimationServiceStub
from facestream.v1.audio_pb2 import AudioChunk

_CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # What is not read stays small, so that the server notices a slow reader within seconds rather than after the 4 MB
    # that gRPC's own estimate lets through on loopback (measured 2026-11-21: 9,700 messages).
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 32 * 1024),
    # A client is a connection: gRPC would give all of a process the same one, and a server of several processes spreads
    # its callers by connections.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Clip:
    """A whole recording, animated."""

    info: StreamInfo
    frames: Frames
    events: tuple[StreamEvent, ...]


class AsyncClient:
    """A connection to one server. It connects when first used and reconnects by itself."""

    def __init__(self, target: str, *, token: str | None = None, root_certificate: Path | None = None) -> None:
        """`target` is `host:port` or `unix:PATH`; `root_certificate` (PEM) switches TLS on."""
        if not target.strip():
            raise InvalidValue("target", repr(target), "host:port, for example localhost:50051")
        self._target = target
        self._metadata: list[tuple[str, str]] = [("facestream-client", f"python/{__version__}")]
        if token is not None:
            self._metadata.append(("authorization", f"Bearer {token}"))
        self._root_certificate = root_certificate
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every call and the connection."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def models(self, *, timeout_s: float = 10.0) -> list[ModelInfo]:
        """What the server can do; the first is its default."""
        try:
            answer = await self._stub().ListModels(ListModelsRequest(), timeout=timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._target) from None
        return [model_of(model) for model in answer.models]

    def animate(self, options: StreamOptions | None = None, *, resume: bool = True, **fields: Any) -> AnimationStream:
        """A live stream, opened by `async with`. Options as one object or as its fields.

        With `resume` (the default) a lost connection is replaced by a new one that continues with the next frame.
        """
        chosen = _options(options, fields)

        def dial() -> Call[Any, Any]:
            return Call(self._stub().Animate(metadata=self._metadata), self._target)

        return AnimationStream(dial, chosen, resume=resume)

    async def animate_clip(
        self,
        pcm: Pcm | AsyncIterable[Pcm],
        options: StreamOptions | None = None,
        *,
        on_frames: Callable[[Frames], None] | None = None,
        **fields: Any,
    ) -> Clip:
        """Animate a whole recording as fast as the server can; `on_frames` sees each run as it arrives."""
        chosen = _options(options, fields)
        call: Call[Any, Any] = Call(self._stub().AnimateClip(metadata=self._metadata), self._target)
        runs: list[Frames] = []
        events: list[StreamEvent] = []
        try:
            await call.write(AnimateClipRequest(config=chosen.config(is_clip=True)))
            answer = await call.read()
            if answer is None or not answer.HasField("started"):
                raise OutOfOrder("the server answered without 'started'; it speaks another version of facestream.v1")
            info = info_of(answer.started, chosen.sample_rate_hz)
            sending = asyncio.create_task(_send_clip(call, pcm, chosen, info.chunk_samples))
            try:
                while (answer := await call.read()) is not None:
                    if answer.HasField("frames"):
                        runs.append(frames_of(answer.frames))
                        if on_frames is not None:
                            on_frames(runs[-1])
                    elif answer.HasField("event") and (event := event_of(answer.event)) is not None:
                        events.append(event)
                await sending
            finally:
                await _ended(sending)
        finally:
            call.cancel()
        return Clip(info, joined_frames(runs, len(info.curve_names)), tuple(events))

    async def hear_emotion(self, pcm: Pcm, options: StreamOptions | None = None, **fields: Any) -> Emotion:
        """The emotion of a reference clip, half a second to a minute of speech, for `emotion=` of any call.

        Of the options `model` (by default the first that acts) and those of the audio count. Raises `AudioError` for a
        clip that is silent or too short.
        """
        chosen = _options(options, fields)
        data = chosen.encode(pcm)

        async def requests() -> AsyncIterator[HearEmotionRequest]:
            hearer = HearEmotionConfig(model=chosen.model, audio_format=chosen.audio_format)
            yield HearEmotionRequest(config=hearer)
            step = chosen.sample_rate_hz * chosen.bytes_per_sample
            for start in range(0, len(data), step):
                yield HearEmotionRequest(audio=AudioChunk(data=data[start : start + step]))

        try:
            answer = await self._stub().HearEmotion(requests(), metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._target) from None
        return emotion_of(answer.emotion)

    def _stub(self) -> AnimationServiceStub:
        if self._channel is None:
            self._channel = self._connect()
        return AnimationServiceStub(self._channel)

    def _connect(self) -> grpc.aio.Channel:
        if self._root_certificate is None:
            return grpc.aio.insecure_channel(self._target, options=_CHANNEL_OPTIONS)
        try:
            roots = self._root_certificate.read_bytes()
        except OSError as error:
            raise InvalidValue(
                "root_certificate", str(self._root_certificate), f"a readable PEM file ({error.strerror})"
            ) from None
        return grpc.aio.secure_channel(self._target, grpc.ssl_channel_credentials(roots), options=_CHANNEL_OPTIONS)


def _options(options: StreamOptions | None, fields: dict[str, Any]) -> StreamOptions:
    if options is not None and fields:
        raise InvalidValue("options", f"an object and {', '.join(fields)}", "one StreamOptions or its fields, not both")
    unknown = sorted(set(fields) - set(StreamOptions.__slots__))
    if unknown:
        raise InvalidValue("options", ", ".join(unknown), f"{', '.join(StreamOptions.__slots__)}")
    return options if options is not None else StreamOptions(**fields)


async def _pieces(pcm: Pcm | AsyncIterable[Pcm]) -> AsyncIterator[Pcm]:
    if isinstance(pcm, AsyncIterable):
        async for piece in pcm:
            yield piece
    else:
        yield pcm


async def _send_clip(
    call: Call[Any, Any], pcm: Pcm | AsyncIterable[Pcm], options: StreamOptions, chunk_samples: int
) -> None:
    step = chunk_samples * options.bytes_per_sample
    async for piece in _pieces(pcm):
        data = options.encode(piece)
        for start in range(0, len(data), step):
            await call.write(AnimateClipRequest(audio=AudioChunk(data=data[start : start + step])))
    await call.half_close()


async def _ended(task: "asyncio.Task[None]") -> None:
    # where reading failed, the reader's error is the one to raise, not what the sender met because of it
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
