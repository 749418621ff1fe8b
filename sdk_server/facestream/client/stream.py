"""A live stream as the user of the client holds it: audio in, frames out, and a new call when one breaks.

gRPC does not retry a stream that has begun. So the client keeps the last seconds of audio; when the connection is lost
it opens a new call, sends two seconds of audio again so that the model settles, and asks for frames from the first one
it has not received. Whoever reads the frames sees no seam.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Literal, Self

from facestream.acting import ActingChange, Emotion, Sampling
from facestream.client.acting import controls_of
from facestream.client.call import Call
from facestream.client.history import AudioHistory
from facestream.client.messages import event_of, frames_of, info_of
from facestream.client.options import Pcm, StreamInfo, StreamOptions
from facestream.errors import Busy, EngineError, FacestreamError, OutOfOrder, TimeLimit
from facestream.events import FlushDone, FramesDropped, GoingAway, StreamEvent
from facestream.styling import StylingChange
from facestream.types import Frames
from facestream.v1.animation_service_pb2 import AnimateRequest, AnimateResponse
from facestream.v1.audio_pb2 import AudioChunk
from facestream.v1.config_pb2 import MotionControls, ResumePoint
from facestream.v1.control_pb2 import Control, Flush

log = logging.getLogger(__name__)

LiveCall = Call[AnimateRequest, AnimateResponse]

PRIMING_S = 2
"""Audio sent again before the first frame wanted."""

HISTORY_S = 10
"""Audio kept at most; a reader further behind than this loses frames when the connection breaks."""

RESUME_WITHIN_S = 10.0
"""How long a new call is tried before the stream is given up."""

_BARREN_RESUMES = 3
"""New calls in a row that may break without one new frame."""


class AnimationStream:
    """Made by `AsyncClient.animate`; use it with `async with`.

    One task may send while another reads. Iterating gives `Frames`; `messages()` gives events too.
    """

    def __init__(self, dial: Callable[[], LiveCall], options: StreamOptions, *, resume: bool) -> None:
        self._dial = dial
        self._options = options
        self._resume = resume
        self._call: LiveCall | None = None
        self._info: StreamInfo | None = None
        self._history = AudioHistory(options.bytes_per_sample, HISTORY_S * options.sample_rate_hz)
        self._controls = options.controls
        self._markers: list[tuple[int, int]] = []
        self._next_sample = 0
        self._next_frame = 0
        self._is_finished = False
        self._will_go_away = False
        self._barren_resumes = 0
        self._resume_count = 0
        self._reopening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._call, self._info = await self._open(None)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._call is not None:
            self._call.cancel()

    @property
    def info(self) -> StreamInfo:
        """What the server said about this stream: curve names, clock, look-ahead, limits."""
        if self._info is None:
            raise OutOfOrder("the stream is not open; use it with 'async with'")
        return self._info

    @property
    def resume_count(self) -> int:
        """How many calls replaced one that was lost."""
        return self._resume_count

    async def send(self, pcm: Pcm, *, first_sample: int | None = None) -> None:
        """Send audio. `first_sample` beyond the audio sent so far leaves a gap, which the server fills with silence.

        Waits while the server takes no more (it holds about two seconds ahead). Raises what ended the stream.
        """
        data = self._options.encode(pcm)
        if first_sample is not None:
            self._next_sample = first_sample
        step = self.info.chunk_samples * self._options.bytes_per_sample
        for start in range(0, len(data) or 1, step):
            piece = data[start : start + step]
            chunk = AudioChunk(data=piece, first_sample=first_sample if start == 0 else None)
            await self._settled()
            self._history.add(self._next_sample, piece)
            self._next_sample += len(piece) // self._options.bytes_per_sample
            await self._write(AnimateRequest(audio=chunk))

    async def control(
        self,
        *,
        at_sample: int | None = None,
        mouth_strength: float | None = None,
        blinks: bool | None = None,
        gaze: bool | None = None,
        emotion: Emotion | str | None = None,
        emotion_spread: float | None = None,
        motion: Sampling | Literal["likeliest"] | None = None,
        speaker: str | None = None,
        styling: StylingChange | None = None,
    ) -> None:
        """Change the motion from `at_sample` on (by default, from the next sample sent); see `StreamOptions`.

        The last five are for models that act, and act on whole steps (`ModelInfo.abilities`).
        """
        await self._settled()
        acting = controls_of(ActingChange(emotion, emotion_spread, motion, speaker, styling))
        controls = MotionControls(mouth_strength=mouth_strength, blinks=blinks, gaze=gaze, acting=acting)
        self._note_controls(controls)
        await self._write(AnimateRequest(control=Control(at_sample=at_sample, controls=controls)))

    async def flush(self, marker_id: int) -> None:
        """Ask for a `FlushDone` event behind the last frame of the audio sent so far."""
        await self._settled()
        self._markers.append((self._next_sample, marker_id))
        await self._write(AnimateRequest(flush=Flush(marker_id=marker_id)))

    async def finish(self) -> None:
        """No more audio: the remaining frames follow, then iteration ends."""
        await self._settled()
        self._is_finished = True
        call = self._opened()
        try:
            await call.half_close()
        except FacestreamError as error:
            await self._reopen(call, error)

    async def __aiter__(self) -> AsyncIterator[Frames]:
        async for message in self.messages():
            if isinstance(message, Frames):
                yield message

    async def messages(self) -> AsyncIterator[Frames | StreamEvent]:
        """Frames and events in the order in which they belong."""
        while True:
            call = self._opened()
            try:
                answer = await call.read()
            except FacestreamError as error:
                await self._reopen(call, error)
                continue
            if answer is None:
                return
            if answer.HasField("frames"):
                frames = frames_of(answer.frames)
                self._received(frames.end_index)
                yield frames
            elif answer.HasField("event"):
                event = event_of(answer.event)
                if event is not None:
                    self._note(event)
                    yield event

    def _note_controls(self, controls: MotionControls) -> None:
        """Remember for a new call what was asked for, the later over the earlier."""
        if controls.acting.WhichOneof("emotion") == "vector":
            self._controls.acting.ClearField("vector")  # merging would put the new numbers behind the old
        if controls.acting.styling.WhichOneof("style") == "blend":
            self._controls.acting.styling.ClearField("blend")  # merging would keep the old share where the new one is 0
        self._controls.MergeFrom(controls)

    def _opened(self) -> LiveCall:
        if self._call is None:
            raise OutOfOrder("the stream is not open; use it with 'async with'")
        return self._call

    def _received(self, next_frame: int) -> None:
        self._next_frame = next_frame
        self._barren_resumes = 0
        self._history.forget_before(self._priming_start())

    def _note(self, event: StreamEvent) -> None:
        if isinstance(event, FlushDone):
            self._markers = [marker for marker in self._markers if marker[1] != event.marker_id]
        elif isinstance(event, FramesDropped):
            self._received(event.first_frame_index + event.frame_count)
        elif isinstance(event, GoingAway):
            self._will_go_away = True

    async def _settled(self) -> None:
        """While the stream goes over to another call, what is new must not overtake what is sent there again."""
        async with self._reopening:
            pass

    async def _write(self, request: AnimateRequest) -> None:
        # what is written has been noted before, so a call that is opened anew has it too
        call = self._opened()
        try:
            await call.write(request)
        except FacestreamError as error:
            await self._reopen(call, error)

    async def _open(self, resume: ResumePoint | None) -> tuple[LiveCall, StreamInfo]:
        call = self._dial()
        config = self._options.config(resume)
        config.controls.CopyFrom(self._controls)
        try:
            await call.write(AnimateRequest(config=config))
            answer = await call.read()
        except BaseException:
            call.cancel()
            raise
        if answer is None or not answer.HasField("started"):
            raise OutOfOrder("the server answered without 'started'; it speaks another version of facestream.v1")
        return call, info_of(answer.started, self._options.sample_rate_hz)

    def _may_resume(self, error: FacestreamError) -> bool:
        is_passing = isinstance(error, (Busy, EngineError)) or (isinstance(error, TimeLimit) and self._will_go_away)
        return self._resume and is_passing and self._barren_resumes < _BARREN_RESUMES

    async def _reopen(self, broken: LiveCall, error: FacestreamError) -> None:
        """Replace `broken` by a call that continues it, or raise `error` where that is no use."""
        async with self._reopening:
            if self._call is not broken:
                return  # the other task, reading or sending, was faster
            if not self._may_resume(error):
                raise error
            loop = asyncio.get_running_loop()
            give_up_at = loop.time() + RESUME_WITHIN_S
            delay_s = 0.05
            while True:
                try:
                    await self._continue_on_new_call()
                except FacestreamError as failure:
                    if not self._may_resume(failure) or loop.time() + delay_s > give_up_at:
                        raise failure from error
                else:
                    return
                await asyncio.sleep(delay_s)
                delay_s = min(1.0, 2 * delay_s)

    async def _continue_on_new_call(self) -> None:
        start = self._priming_start()
        resume = ResumePoint(token=self.info.resume_token, first_sample=start, first_frame_index=self._next_frame)
        self._call, self._info = await self._open(resume)
        self._will_go_away = False
        self._barren_resumes += 1
        self._resume_count += 1
        log.info("stream resumed", extra={"stream": self._info.stream_id, "first_frame": self._next_frame})
        markers = list(self._markers)
        for first, data in self._history.since(start):
            while markers and markers[0][0] <= first:
                await self._call.write(AnimateRequest(flush=Flush(marker_id=markers.pop(0)[1])))
            await self._call.write(AnimateRequest(audio=AudioChunk(data=data, first_sample=first)))
        for _, marker_id in markers:
            await self._call.write(AnimateRequest(flush=Flush(marker_id=marker_id)))
        if self._is_finished:
            await self._call.half_close()

    def _priming_start(self) -> int:
        """Where audio must start again: two seconds before the next frame, on a multiple of 800 ms.

        At every usual rate that is a whole number of any model's steps (40 and 160 ms), so the new call computes the
        very same ones.
        """
        rate_hz = self._options.sample_rate_hz
        grid = 4 * rate_hz // 5 if rate_hz % 5 == 0 else 4 * rate_hz
        wanted = self.info.clock.sample_of(self._next_frame) - PRIMING_S * rate_hz
        start = max(0, wanted // grid * grid)
        held = self._history.first_sample  # later than that only for a reader who is ten seconds behind
        return start if start >= held else -(-held // grid) * grid
