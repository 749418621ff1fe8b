"""One call of NVIDIA's interface, from its header to its last status.

    client ─> reader ─> upload ─┬─> feeder ─> stream of the host ─> frames ─┐
                                └─> slices of audio, a frame each ──────────┴─> client

The reader takes whatever comes as fast as it comes, to the end of the audio, even while nobody reads answers, and even
after a fault: a client that is cut off while it writes never learns why.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError, Message

from facestream.acting import Abilities
from facestream.audio.pcm import PcmFormat
from facestream.audio.resample import prepare_filter
from facestream.errors import Busy, FacestreamError, InvalidValue, OutOfOrder, TimeLimit, Unavailable
from facestream.events import GoingAway
from facestream.nvidia_ace.audio.v1.audio_pb2 import AudioHeader
from facestream.nvidia_ace.controller.v1.controller_pb2 import AudioStream, AudioStreamHeader
from facestream.serving.host import AnimationHost, HostState, OpenedStream, StreamRequest
from facestream.serving.stream import ServedStream
from facestream.transports import ace_wire
from facestream.transports.ace_emotions import EmotionTimeline, emotion_wishes_of
from facestream.transports.ace_options import AceOptions
from facestream.transports.ace_parameters import FaceWishes, Shaping, face_wishes_of
from facestream.transports.ace_upload import Upload, UploadBudget
from facestream.types import Float32, Frames

log = logging.getLogger(__name__)

_PIECE_S = 0.1
"""Audio that is fed to the model at a time; long pieces would hold up the other streams."""
_SEED_S = 0.1
"""No frame is made of less audio than this, so that the seed may wait for it."""
_QUIET_S = 5.0
_DRAIN_S = 30.0
"""After a fault a client is heard to its end, unless it is quiet for so long, or goes on for so long."""
_STRANGER_S = 2.0
"""The same for a client without an accepted token."""
_PACE_LEAD_S = 0.5
"""Audio a paced answer may be ahead of its pace: players start on some of it."""


class AceCall:
    """One call. `converse` answers it and gives the error that its gRPC status should tell, if any."""

    def __init__(
        self,
        host: AnimationHost,
        options: AceOptions,
        budget: UploadBudget,
        context: grpc.aio.ServicerContext[Any, Any],
        wall_clock: Callable[[], float],
    ) -> None:
        self._host = host
        self._options = options
        self._budget = budget
        self._context = context
        self._wall_clock = wall_clock
        self._audio_header: AudioHeader = ace_wire.default_audio_header()
        self._has_answered = False
        self._upload: Upload | None = None
        self._emotions: EmotionTimeline | None = None
        self._stream: ServedStream | None = None
        self._failure: FacestreamError | None = None
        self._news: deque[Message] = deque()
        """Statuses to be sent before the next frame."""
        self._is_heard_out = False
        self._is_hung_up = False
        self._warned_of_late = False
        self._heard = asyncio.Event()
        self._next_frame = 0
        self._pace_origin_s: float | None = None

    async def converse(self) -> FacestreamError | None:
        """The whole conversation."""
        tasks: list[asyncio.Task[None]] = []
        refusal: FacestreamError | None = None
        try:
            await self._animate(tasks)
        except FacestreamError as error:
            self._failure = error
            refusal = await self._end_in_failure(error, tasks)
        except asyncio.CancelledError:
            call = asyncio.current_task()
            if not self._is_hung_up or call is None:
                raise
            call.uncancel()
            refusal = TimeLimit(f"answers were not read for {self._host.limits.idle_timeout_s:g} s")
        finally:
            self._leave()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        return refusal

    async def _animate(self, tasks: list[asyncio.Task[None]]) -> None:
        header = await self._first_header()
        self._audio_header.CopyFrom(header.audio_header)
        rate_hz = ace_wire.sample_rate_of(header)
        face = face_wishes_of(header.face_params, header.blendshape_params)
        emotions = emotion_wishes_of(header.emotion_post_processing_params, header.emotion_params)
        self._upload = Upload(rate_hz, self._options.clip_bound_s, self._budget)
        self._emotions = EmotionTimeline(emotions.rules, self._abilities(), rate_hz)
        if remarks := (*face.remarks, *emotions.remarks):
            self._news.append(ace_wire.information("; ".join(remarks)))
        self._hear(self._emotions.begin(emotions.beginning))
        await self._answer_header()
        tasks.append(asyncio.create_task(self._read()))
        async with _quiet_limit(self._host.limits.idle_timeout_s):
            beginning = await self._upload.beginning(round(_SEED_S * rate_hz))
        await asyncio.to_thread(prepare_filter, rate_hz)
        opened = self._host.open(
            StreamRequest(
                sample_rate_hz=rate_hz,
                frame_rate=self._options.frame_rate,
                model=self._options.model,
                seed=_seed_of(beginning),
                polish=face.polish,
                drops_oldest=False,
            )
        )
        await self._serve(opened, face, tasks)

    async def _serve(self, opened: OpenedStream, face: FaceWishes, tasks: list[asyncio.Task[None]]) -> None:
        self._stream = opened.stream
        call = asyncio.current_task()
        assert call is not None
        self._stream.hang_up = lambda: self._hang_up(call)
        facts = {"stream": opened.stream.stream_id, "model": opened.model, "peer": self._context.peer()}
        log.info("stream opened", extra={**facts, "kind": "ace"})
        end = "gone"
        try:
            if self._failure is not None:  # found by the reader meanwhile
                raise self._failure
            tasks.append(asyncio.create_task(self._feed(opened.stream, face.input_gain)))
            await self._send_frames(opened.stream, face.shaping)
            end = "complete"
        except FacestreamError as error:
            end = error.reason
            raise
        finally:
            log.info("stream closed", extra={**facts, "end": end, "frames": self._next_frame})
        self._host.release(opened.stream)
        await self._write(ace_wire.end_event())
        await self._tell_news()
        await self._write(ace_wire.success())

    def _abilities(self) -> Abilities | None:
        """What the model of this service can act, where there is one already."""
        models = (pipeline.model for pipeline in self._host.pipelines)
        return next((one.abilities for one in models if self._options.model in ("", one.name)), None)

    def _hang_up(self, call: asyncio.Task[Any]) -> None:
        """End the wait for a client that reads nothing. gRPC does not end a call whose handler is merely cancelled."""
        self._is_hung_up = True
        call.cancel()

    # What the client says

    async def _first_header(self) -> AudioStreamHeader:
        async with _quiet_limit(self._host.limits.idle_timeout_s):
            first = await self._next_message()
        if first is None or first.WhichOneof("stream_part") != "audio_stream_header":
            self._is_heard_out = first is None or first.WhichOneof("stream_part") == "end_of_audio"
            received = "nothing" if first is None else first.WhichOneof("stream_part") or "an empty message"
            raise OutOfOrder(f"the first message was {received}; send audio_stream_header first")
        return first.audio_stream_header

    async def _next_message(self) -> AudioStream | None:
        """The client's next message; `None` at its half-close, and when it is gone (cancellation follows)."""
        try:
            message = await self._context.read()
        except DecodeError:
            raise InvalidValue("message", "bytes that are no message", "an AudioStream of controller.v1") from None
        return None if message is grpc.aio.EOF else message

    async def _read(self) -> None:
        """Take everything that is said, to the end; what is said after a fault is thrown away."""
        while True:
            try:
                message = await self._next_message()
                self._heard.set()
                if message is None:
                    self._hear_out()
                    return
                self._take(message)
            except FacestreamError as error:
                self._fail(error)

    def _take(self, message: AudioStream) -> None:
        part = message.WhichOneof("stream_part")
        if self._is_heard_out:
            if not self._warned_of_late:
                self._warned_of_late = True
                self._news.append(ace_wire.warning(f"{part or 'an empty message'} after end_of_audio was not used"))
        elif part == "end_of_audio":
            self._hear_out()
        elif self._failure is None:
            if part != "audio_with_emotion":
                received = "a second audio_stream_header" if part else "an empty message"
                raise OutOfOrder(f"{received}; after the header send audio_with_emotion, then end_of_audio")
            assert self._upload is not None
            assert self._emotions is not None
            audio = message.audio_with_emotion
            self._hear(self._emotions.add(audio.emotions))
            if audio.audio_buffer:
                self._upload.append(audio.audio_buffer)
                if self._stream is not None:
                    self._stream.hear_from_client()

    def _hear(self, remark: str | None) -> None:
        if remark is not None:
            self._news.append(ace_wire.information(remark))

    def _hear_out(self) -> None:
        self._is_heard_out = True
        if self._upload is not None:
            self._upload.end()

    def _fail(self, error: FacestreamError) -> None:
        self._failure = self._failure or error
        if self._stream is not None:
            self._stream.fail(error)
        if self._upload is not None:
            self._upload.close(error)

    # What becomes of it

    async def _feed(self, stream: ServedStream, gain: float) -> None:
        """Hand the audio on to the model, as it has room."""
        assert self._upload is not None
        assert self._emotions is not None
        pcm_format = PcmFormat("s16le", stream.live.options.sample_rate_hz)
        most = round(_PIECE_S * pcm_format.sample_rate_hz)
        try:
            while piece := await self._upload.next_piece(most):
                await stream.room()
                if stream.is_released:
                    return
                samples = pcm_format.decode(piece)
                first = stream.live.received_samples
                for sample, acting in self._emotions.due(first, first + samples.size):
                    stream.live.act(acting, sample)
                await stream.accept_audio(samples if gain == 1.0 else samples * np.float32(gain), None)
                await asyncio.sleep(0)  # a burst takes its turns with everyone else
            stream.finish()
        except FacestreamError as error:
            stream.fail(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("feeding a stream failed", extra={"stream": stream.stream_id})
            text = f"internal failure; the server's log names it under {stream.stream_id}: {error}"
            stream.fail(FacestreamError(text))

    async def _send_frames(self, stream: ServedStream, shaping: Shaping) -> None:
        """Every frame with its slice of the audio, until the audio is over."""
        waiting: deque[Float32] = deque()
        while (item := await stream.next_item()) is not None:
            if isinstance(item, Frames):
                waiting.extend(shaping.apply(item.weights))
            elif isinstance(item, GoingAway):
                text = f"this call will be ended in {item.time_left_s:.0f} s: {item.reason}"
                self._news.append(ace_wire.warning(text))
            while waiting and self._slice_is_whole():
                if self._is_behind_the_audio() and not self._options.rests_at_end:
                    return
                await self._tell_news()
                await self._send_frame(waiting.popleft())
            if self._is_behind_the_audio() and not self._options.rests_at_end:
                return

    def _slice_is_whole(self) -> bool:
        """Whether all of the next frame's audio is there."""
        assert self._upload is not None
        return self._upload.has_ended or self._sample_of(self._next_frame + 1) <= self._upload.received_samples

    def _is_behind_the_audio(self) -> bool:
        assert self._upload is not None
        return self._upload.has_ended and self._sample_of(self._next_frame) >= self._upload.received_samples

    async def _send_frame(self, weights: Float32) -> None:
        assert self._upload is not None
        assert self._emotions is not None
        index = self._next_frame
        self._next_frame += 1
        rate = self._options.frame_rate
        time_s = index * rate.denominator / rate.numerator
        begin = self._sample_of(index)
        message = ace_wire.frame_message(
            time_s, weights.tolist(), self._upload.answer(begin, self._sample_of(index + 1))
        )
        if (told := self._emotions.told_at(begin)) is not None:
            ace_wire.add_emotions(message, time_s, *told)
        await self._keep_pace(time_s)
        await self._write(message)

    def _sample_of(self, frame_index: int) -> int:
        """Where a frame's slice begins. Cut where NVIDIA's service cuts: 98,044 samples came back as 98,133."""
        assert self._upload is not None
        rate = self._options.frame_rate
        return frame_index * self._upload.sample_rate_hz * rate.denominator // rate.numerator

    async def _keep_pace(self, time_s: float) -> None:
        if self._options.pace is None:
            return
        now_s = asyncio.get_running_loop().time()
        self._pace_origin_s = now_s if self._pace_origin_s is None else self._pace_origin_s
        due_s = self._pace_origin_s + max(time_s - _PACE_LEAD_S, 0.0) / self._options.pace
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)

    # What it is answered

    async def _answer_header(self) -> None:
        if not self._has_answered:
            self._has_answered = True
            await self._write(ace_wire.answer_header(self._audio_header, self._wall_clock()))
            await self._tell_news()

    async def _tell_news(self) -> None:
        while self._news:
            await self._write(self._news.popleft())

    async def _write(self, message: Message) -> None:
        await self._context.write(message)

    async def _end_in_failure(self, error: FacestreamError, tasks: list[asyncio.Task[None]]) -> FacestreamError | None:
        """Tell the client, who may still be writing; gives the error where the status of the call has to tell it."""
        self._leave()
        if isinstance(error, Unavailable) and self._host.state in (HostState.DRAINING, HostState.STOPPED):
            return error
        if not tasks and not self._is_heard_out:
            tasks.append(asyncio.create_task(self._read()))
        if isinstance(error, Busy):
            await self._hear_the_rest()
            return error
        telling = asyncio.create_task(self._tell_failure(error))
        tasks.append(telling)
        await self._hear_the_rest()
        with contextlib.suppress(TimeoutError):  # of a client that does not read, nothing more is asked
            async with asyncio.timeout(self._host.limits.idle_timeout_s):
                await telling
        return None

    async def _tell_failure(self, error: FacestreamError) -> None:
        await self._answer_header()
        await self._write(ace_wire.error(str(error)))

    async def _hear_the_rest(self) -> None:
        """Return once the client has said everything, or has been quiet or gone on for too long."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + _DRAIN_S
        quiet_s = min(_QUIET_S, self._host.limits.idle_timeout_s)
        while not self._is_heard_out:
            self._heard.clear()
            try:
                async with asyncio.timeout_at(min(loop.time() + quiet_s, ends_s)):
                    await self._heard.wait()
            except TimeoutError:
                return

    def _leave(self) -> None:
        """Give back what the call holds. Safe more than once."""
        if self._stream is not None:
            self._host.release(self._stream)
        if self._upload is not None:
            self._upload.close(self._failure or TimeLimit("the call is over"))


async def hear_out_stranger(context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Read what a client that will be refused still sends, for a moment: it learns why only once it has written."""
    with contextlib.suppress(TimeoutError, DecodeError):
        async with asyncio.timeout(_STRANGER_S):
            while (message := await context.read()) is not grpc.aio.EOF:
                if message.WhichOneof("stream_part") == "end_of_audio":
                    return


@contextlib.asynccontextmanager
async def _quiet_limit(limit_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise TimeLimit(f"nothing came for {limit_s:g} s; send end_of_audio where a clip is over") from None


def _seed_of(beginning: bytes) -> int:
    """The interface has no seed. Equal clips get equal faces, and others blink at other times."""
    return int.from_bytes(hashlib.blake2b(beginning, digest_size=8).digest(), "big")
