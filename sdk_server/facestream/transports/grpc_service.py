"""`facestream.v1.AnimationService` over grpc.aio: reads what a client sends, writes what its stream gives."""

import asyncio
import contextlib
import logging
import secrets
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from facestream.audio.pcm import PcmFormat
from facestream.errors import FacestreamError, InvalidValue, OutOfOrder, TimeLimit
from facestream.serving.host import AnimationHost
from facestream.serving.stream import ServedStream
from facestream.transports.grpc_errors import status_of
from facestream.transports.wire import (
    change_of,
    event_of,
    model_of,
    pcm_format_of,
    request_of,
    run_of,
    started_of,
    wire_names,
)
from facestream.types import Frames
from facestream.v1.animation_service_pb2 import (
    AnimateClipResponse,
    AnimateResponse,
    ListModelsRequest,
    ListModelsResponse,
)
from facestream.v1.animation_service_pb2_grpc import AnimationServiceServicer
from facestream.v1.config_pb2 import StreamConfig

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class AnimationService(AnimationServiceServicer):
    """Both streaming calls are one conversation: a reader task takes the input, the call itself writes the answer."""

    def __init__(self, host: AnimationHost) -> None:
        self._host = host

    async def Animate(self, request_iterator: object, context: Context) -> None:  # noqa: N802 - gRPC's name
        """A live stream."""
        await self._answer(context, AnimateResponse, is_clip=False)

    async def AnimateClip(self, request_iterator: object, context: Context) -> None:  # noqa: N802 - gRPC's name
        """A whole recording."""
        await self._answer(context, AnimateClipResponse, is_clip=True)

    async def ListModels(  # noqa: N802 - gRPC's name
        self, request: ListModelsRequest, context: Context
    ) -> ListModelsResponse:
        """What this server can do."""
        return ListModelsResponse(models=[model_of(pipeline) for pipeline in self._host.pipelines])

    async def _answer(self, context: Context, response: type[Any], *, is_clip: bool) -> None:
        try:
            await self._converse(context, response, is_clip=is_clip)
        except FacestreamError as error:
            await _abort(context, error)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception:
            log_id = secrets.token_hex(6)
            log.exception("a call failed", extra={"log_id": log_id, "peer": context.peer()})
            await _abort(context, FacestreamError(f"internal failure; the server's log names it under {log_id}"))

    async def _converse(self, context: Context, response: type[Any], *, is_clip: bool) -> None:
        config = await self._config(context)
        pcm_format = pcm_format_of(config.audio_format)
        with wire_names():
            opened = self._host.open(request_of(config, pcm_format, is_clip=is_clip))
        stream = opened.stream
        call = asyncio.current_task()
        assert call is not None
        stream.hang_up = call.cancel
        facts = {"stream": stream.stream_id, "model": opened.model, "peer": context.peer()}
        log.info("stream opened", extra={**facts, "kind": "clip" if is_clip else "live"})
        reading = asyncio.create_task(_read(stream, pcm_format, context))
        end = "gone"
        try:
            await context.write(response(started=started_of(opened, self._host.limits)))
            while (item := await stream.next_item()) is not None:
                if isinstance(item, Frames):
                    await context.write(response(frames=run_of(item)))
                else:
                    await context.write(response(event=event_of(item)))
            end = "complete"
        except FacestreamError as error:
            end = error.reason
            raise
        except grpc.aio.BaseError:
            pass  # the client is gone, and a write met it before the cancellation did
        finally:
            self._host.release(stream)
            log.info("stream closed", extra={**facts, "end": end, "frames": stream.live.next_frame_index})
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def _config(self, context: Context) -> StreamConfig:
        timeout_s = self._host.limits.start_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                first = await _next(context)
        except TimeoutError:
            raise TimeLimit(f"no first message within {timeout_s:g} s; send 'config' when the call opens") from None
        if first is None or first.WhichOneof("kind") != "config":
            received = "nothing" if first is None else first.WhichOneof("kind") or "an empty message"
            raise OutOfOrder(f"the first message was {received}; send 'config' first")
        config: StreamConfig = first.config
        return config


async def _read(stream: ServedStream, pcm_format: PcmFormat, context: Context) -> None:
    """Take everything the client sends, at the stream's own pace; what is wrong with it ends the stream."""
    try:
        while True:
            await stream.room()
            request = await _next(context)
            if request is None:
                stream.finish()
                return
            match request.WhichOneof("kind"):
                case "audio":
                    audio = request.audio
                    first_sample = audio.first_sample if audio.HasField("first_sample") else None
                    with wire_names():
                        samples = pcm_format.decode(audio.data)
                    await stream.accept_audio(samples, first_sample)
                case "control":
                    control = request.control
                    at_sample = control.at_sample if control.HasField("at_sample") else None
                    stream.accept_control(change_of(control.controls), at_sample)
                case "flush":
                    stream.accept_flush(request.flush.marker_id)
                case "config":
                    raise OutOfOrder("a second 'config'; a stream is configured once, open another for other values")
                case _:
                    raise OutOfOrder("an empty message; send 'audio', 'control' or 'flush'")
    except FacestreamError as error:
        stream.fail(error)
    except asyncio.CancelledError:
        stream.release()
        raise
    except Exception as error:
        log.exception("reading a stream failed", extra={"stream": stream.stream_id})
        stream.fail(FacestreamError(f"internal failure; the server's log names it under {stream.stream_id}: {error}"))


async def _next(context: Context) -> Any:
    """The client's next message; `None` at half-close, and when the client is gone (cancellation follows)."""
    try:
        message = await context.read()
    except DecodeError:
        raise InvalidValue("message", "bytes that are no message", "a facestream.v1 request") from None
    return None if message is grpc.aio.EOF else message


async def _abort(context: Context, error: FacestreamError) -> NoReturn:
    await context.abort(*status_of(error))
    raise AssertionError("abort does not return")
