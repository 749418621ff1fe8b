"""The calls of `facestream.v1`, whatever carries them: reads what a client sends, writes what its stream gives."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable
from typing import Any, TypeVar

from facestream.audio.pcm import PcmFormat
from facestream.errors import FacestreamError, OutOfOrder, TimeLimit
from facestream.serving.host import AnimationHost
from facestream.serving.stream import ServedStream
from facestream.transports.incoming import Caller, CallerGone, first_config
from facestream.transports.senders.served import StreamSenders
from facestream.transports.wire import (
    CONFIG_CONTROLS,
    CONTROL_CONTROLS,
    acting_of,
    change_of,
    controls_names,
    event_of,
    pcm_format_of,
    request_of,
    run_of,
    started_of,
    wire_names,
)
from facestream.types import Frames
from facestream.v1.config_pb2 import StreamConfig

log = logging.getLogger(__name__)

_T = TypeVar("_T")


async def converse(
    host: AnimationHost, caller: Caller, response: type[Any], *, is_clip: bool, senders: StreamSenders
) -> None:
    """`Animate` and `AnimateClip`: a reader task takes the input, the call itself writes the answer.

    Raises what ended the stream. Cancelling it gives everything back. A client that does not even read its end is hung
    up on by the host, which is a failure like any other: gRPC does not end a call whose handler is merely cancelled.
    """
    config: StreamConfig = await first_config(caller, host.limits.start_timeout_s)
    pcm_format = pcm_format_of(config.audio_format)
    request = request_of(config, pcm_format, is_clip=is_clip)
    with wire_names(send_to="config.send_to"):
        sent = await senders.open(config.send_to, caller.peer, request.frame_rate)
    try:
        with wire_names(**controls_names(CONFIG_CONTROLS)):
            opened = host.open(request)
    except BaseException:
        sent.end(is_complete=False)
        raise
    stream = opened.stream
    stream.on_frames = sent.add
    call = asyncio.current_task()
    assert call is not None
    is_hung_up = False

    def hang_up() -> None:
        nonlocal is_hung_up
        is_hung_up = True
        call.cancel()

    stream.hang_up = hang_up
    facts = {"stream": stream.stream_id, "model": opened.model, "peer": caller.peer}
    log.info("stream opened", extra={**facts, "kind": "clip" if is_clip else "live"})
    reading = asyncio.create_task(_read(stream, pcm_format, caller))
    end = "gone"
    try:
        await caller.write(response(started=started_of(opened, host.limits)))
        while (item := await stream.next_item()) is not None:
            if isinstance(item, Frames):
                await caller.write(response(frames=run_of(item)))
            else:
                await caller.write(response(event=event_of(item)))
        end = "complete"
    except FacestreamError as error:
        end = error.reason
        raise
    except CallerGone:
        pass  # a write met it before the cancellation did
    except asyncio.CancelledError:
        if not is_hung_up:
            raise
        call.uncancel()
        end = "not read"
        raise TimeLimit(f"the end of the stream was not read for {host.limits.idle_timeout_s:g} s") from None
    finally:
        host.release(stream)
        sent.end(is_complete=end == "complete")
        log.info("stream closed", extra={**facts, "end": end, "frames": stream.live.next_frame_index})
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def with_known_failure(conversation: Awaitable[_T], peer: str) -> _T:
    """The outcome of a call; what fails by a fault of ours is logged, and its caller told under which name."""
    try:
        return await conversation
    except (FacestreamError, CallerGone, asyncio.CancelledError):
        raise
    except Exception:
        log_id = secrets.token_hex(6)
        log.exception("a call failed", extra={"log_id": log_id, "peer": peer})
        raise FacestreamError(f"internal failure; the server's log names it under {log_id}") from None


async def _read(stream: ServedStream, pcm_format: PcmFormat, caller: Caller) -> None:
    """Take everything the client sends, at the stream's own pace; what is wrong with it ends the stream."""
    try:
        while True:
            await stream.room()
            request = await caller.read()
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
