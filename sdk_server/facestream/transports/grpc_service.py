"""`facestream.v1.AnimationService` over grpc.aio: reads what a client sends, writes what its stream gives."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable
from typing import Any, NoReturn, TypeVar

import grpc

from facestream.audio.pcm import PcmFormat
from facestream.errors import FacestreamError, OutOfOrder
from facestream.serving.host import AnimationHost
from facestream.serving.stream import ServedStream
from facestream.transports.grpc_errors import status_of
from facestream.transports.incoming import Context, first_config, next_message
from facestream.transports.reference_clip import hear_reference
from facestream.transports.wire import (
    CONFIG_CONTROLS,
    CONTROL_CONTROLS,
    acting_of,
    change_of,
    controls_names,
    event_of,
    heard_of,
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
    HearEmotionResponse,
    ListModelsRequest,
    ListModelsResponse,
)
from facestream.v1.animation_service_pb2_grpc import AnimationServiceServicer
from facestream.v1.config_pb2 import StreamConfig

log = logging.getLogger(__name__)

_T = TypeVar("_T")


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

    async def HearEmotion(  # noqa: N802 - gRPC's name
        self, request_iterator: object, context: Context
    ) -> HearEmotionResponse:
        """The emotion of a reference clip."""
        return heard_of(await _refusing(context, hear_reference(self._host, context)))

    async def _answer(self, context: Context, response: type[Any], *, is_clip: bool) -> None:
        await _refusing(context, self._converse(context, response, is_clip=is_clip))

    async def _converse(self, context: Context, response: type[Any], *, is_clip: bool) -> None:
        config: StreamConfig = await first_config(context, self._host.limits.start_timeout_s)
        pcm_format = pcm_format_of(config.audio_format)
        with wire_names(**controls_names(CONFIG_CONTROLS)):
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


async def _read(stream: ServedStream, pcm_format: PcmFormat, context: Context) -> None:
    """Take everything the client sends, at the stream's own pace; what is wrong with it ends the stream."""
    try:
        while True:
            await stream.room()
            request = await next_message(context)
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
                    with wire_names(**controls_names(CONTROL_CONTROLS)):
                        stream.accept_control(change_of(control.controls), acting_of(control.controls), at_sample)
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


async def _refusing(context: Context, conversation: Awaitable[_T]) -> _T:
    """The outcome of a call, or its status where it failed."""
    try:
        return await conversation
    except FacestreamError as error:
        await _abort(context, error)
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except Exception:
        log_id = secrets.token_hex(6)
        log.exception("a call failed", extra={"log_id": log_id, "peer": context.peer()})
        await _abort(context, FacestreamError(f"internal failure; the server's log names it under {log_id}"))


async def _abort(context: Context, error: FacestreamError) -> NoReturn:
    await context.abort(*status_of(error))
    raise AssertionError("abort does not return")
