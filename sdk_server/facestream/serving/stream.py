"""One stream being served: what its client sends goes to the pipeline's `LiveStream`, what comes of it to the outbox.

Everything here runs on the event loop. The engine thread reads `live`, `due_s` and the two flags, and writes nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from facestream.acting import ActingChange
from facestream.errors import AudioError, FacestreamError, InvalidValue, OutOfOrder, PositionError
from facestream.events import AheadOfRealTime, FlushDone, Gap, StreamEvent
from facestream.polish.options import ControlChange
from facestream.serving.limits import AHEAD_TOLD_S, CHUNK_BOUND_S, Limits
from facestream.serving.live_stream import GAP_LIMIT_S, LiveStream
from facestream.serving.outbox import EVENT_BOUND, Outbox
from facestream.serving.pipeline import Pipeline
from facestream.serving.speech import SpeechGate
from facestream.types import Float32, Frames

CONTROL_BOUND = 64
"""Controls for samples still to come that one stream may have waiting."""


class ServedStream:
    """Made by `AnimationHost.open`. Its transport calls the verbs and sends what `next_item` gives."""

    def __init__(
        self,
        stream_id: str,
        pipeline: Pipeline,
        live: LiveStream,
        limits: Limits,
        *,
        is_clip: bool,
        drops_oldest: bool,
        wake_engine: Callable[["ServedStream"], None],
        now: Callable[[], float],
    ) -> None:
        self.stream_id = stream_id
        self.pipeline = pipeline
        self.live = live
        self.is_clip = is_clip
        self.is_released = False
        """Read by the engine thread: a released stream is not stepped again."""
        self.is_blocked = False
        """Read by the engine thread: the outbox has no room for more frames."""
        self.due_s = now()
        """When its next frame is due; the engine takes the earliest first."""

        rate = live.options.frame_rate
        self.outbox = Outbox(max(1, round(limits.outbox_bound_s * float(rate.fraction))), drops_oldest=drops_oldest)
        self.hang_up: Callable[[], object] = lambda: None
        """Set by the transport: ends the call of a client that does not even read its end."""
        self.on_frames: Callable[[Frames], None] = lambda frames: None
        """Set by the transport: sees frames as they are made, whether the client reads them or not."""
        self.opened_s = now()
        self.last_input_s = now()
        self.last_output_s = now()
        self.going_away_told = False
        self._drops_oldest = drops_oldest
        self._wake_engine = wake_engine
        self._now = now
        self._rate_hz = live.options.sample_rate_hz
        self._input_bound = int(limits.input_bound_s * self._rate_hz) + live.hold_samples
        self._origin_s: float | None = None
        self._ahead_told = False
        self._control_frames: deque[int] = deque()
        self._delivered_end = live.first_frame_index
        self._speech = SpeechGate(live.clock)
        self._placed: deque[tuple[int, StreamEvent | int]] = deque()
        self._room: asyncio.Future[None] | None = None

    # What a transport calls

    async def room(self) -> None:
        """Return once more input is welcome. Not reading meanwhile is the back-pressure that the client feels."""
        while not self._has_room():
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    async def accept_audio(self, samples: Float32, first_sample: int | None) -> None:
        """Take mono samples `[T]` at the client's rate; `first_sample` ahead of the last one is a gap.

        Raises `AudioError`, `PositionError`, `InvalidValue`, `OutOfOrder`.
        """
        if not samples.size:
            raise AudioError("audio.data", "0 bytes", "at least one sample; leave the message out where there is none")
        longest = CHUNK_BOUND_S * self._rate_hz
        if samples.size > longest:
            raise AudioError(
                "audio.data", f"{samples.size} samples", f"at most {longest} ({CHUNK_BOUND_S} s); send 40 ms"
            )
        if first_sample is not None:
            await self._skip_to(first_sample)
        self.live.push(samples)
        self._input_arrived()

    def accept_control(self, change: ControlChange, acting: ActingChange, at_sample: int | None) -> None:
        """Change the motion from `at_sample` on, by default from the next sample to come.

        Raises `PositionError` and `InvalidValue`; nothing has changed then.
        """
        received = self.live.received_samples
        if at_sample is not None and at_sample < received:
            raise PositionError(at_sample, received, "control.at_sample")
        if at_sample is not None and at_sample - received > GAP_LIMIT_S * self._rate_hz:
            allowed = f"at most {GAP_LIMIT_S} s beyond the audio received ({received} samples)"
            raise InvalidValue("control.at_sample", at_sample, allowed)
        frame_index = self.live.clock.frames_until(received if at_sample is None else at_sample)
        waiting = [index for index in self._control_frames if index > self._delivered_end]
        if len(waiting) >= CONTROL_BOUND:
            raise InvalidValue("control", f"{len(waiting)} controls waiting for audio", f"at most {CONTROL_BOUND}")
        begins_at = received if at_sample is None else at_sample
        self.live.act(acting, begins_at)
        self.live.control(change, begins_at)
        self._control_frames = deque([*waiting, frame_index])

    def hear_from_client(self) -> None:
        """Its client sends what can not be taken yet: it is there, and will read once it has said everything."""
        self.last_input_s = self.last_output_s = self._now()

    def accept_flush(self, marker_id: int) -> None:
        """Answer with `FlushDone` once every frame of the audio so far is in the outbox."""
        self._place(self.live.clock.frames_until(self.live.received_samples), marker_id)
        self._put_placed()

    def finish(self) -> None:
        """No more audio. Raises `AudioError` for a clip without any."""
        if self.is_clip and self.live.received_samples == self.live.options.first_sample:
            raise AudioError("audio", "no samples before the end of the upload", "at least one sample")
        self.live.finish()
        self.last_output_s = self._now()
        self._wake_engine(self)

    async def next_item(self) -> Frames | StreamEvent | None:
        """What is to be sent next, as soon as there is something; `None` at the end. Raises what ended the stream."""
        item = await self.outbox.get()
        self.last_output_s = self._now()
        if self.is_blocked and not self.outbox.is_full:
            self.is_blocked = False
            self._wake_engine(self)
        self._offer_room()
        return item

    # What the host calls

    def deliver(self, frames: Frames, *, is_last: bool) -> None:
        """Frames from the engine, in order; none at all where only the end is to be told."""
        if self.is_released:
            return
        self._delivered_end = frames.end_index
        if frames.count:
            self.on_frames(frames)
            self.outbox.put(frames)
            for event in self._speech.follow(frames):
                self.outbox.put(event)
        if is_last:
            for event in self._speech.finish(frames.end_index):
                self.outbox.put(event)
        self._put_placed(everything=is_last)
        self.is_blocked = not self._drops_oldest and self.outbox.is_full
        if is_last:
            self.outbox.close()
            self.release()
        self._offer_room()

    def tell(self, event: StreamEvent) -> None:
        """Send an event now."""
        self.outbox.put(event)

    def fail(self, error: FacestreamError) -> None:
        """End the stream with `error`; its row is free from now on."""
        self.outbox.fail(error)
        self.release()

    def release(self) -> None:
        """Give the row back. Safe at any time and more than once."""
        self.is_released = True
        self.live.close()
        self._offer_room()

    @property
    def is_waiting_for_audio(self) -> bool:
        """Whether the next move is the client's: it may send, and has not said that it is done."""
        return not self.live.is_finished and self._has_room()

    @property
    def is_waiting_for_reader(self) -> bool:
        """Whether there is something that the client has not read."""
        return self.outbox.frame_count > 0 or self.outbox.event_count > 0

    def _has_room(self) -> bool:
        return self.is_released or (
            self.live.buffered_samples < self._input_bound and self.outbox.event_count < EVENT_BOUND
        )

    def _offer_room(self) -> None:
        if self._room is not None and not self._room.done() and self._has_room():
            self._room.set_result(None)

    async def _skip_to(self, first_sample: int) -> None:
        received = self.live.received_samples
        if first_sample < received:
            raise PositionError(first_sample, received)
        gap = first_sample - received
        longest = GAP_LIMIT_S * self._rate_hz
        if gap > longest:
            allowed = f"at most {received + longest}, a gap of {GAP_LIMIT_S} s; open a new stream after a longer pause"
            raise InvalidValue("audio.first_sample", first_sample, allowed)
        if not gap:
            return
        self._place(self.live.clock.frames_until(received), Gap(received, gap))
        # piece by piece: seconds of silence through the resampler at once would hold up every other stream
        piece = self._rate_hz // 2
        for position in (*range(received + piece, first_sample, piece), first_sample):
            await self.room()
            self.live.skip_to(position)
            self._input_arrived()

    def _input_arrived(self) -> None:
        now = self._now()
        self.last_input_s = now
        options = self.live.options
        position_s = (self.live.received_samples - options.first_sample) / self._rate_hz
        # Audio is due in real time from the stream's own origin. A late chunk moves the origin; an early one does not,
        # so a client that runs ahead of real time yields to those that do not.
        self._origin_s = max(self._origin_s or 0.0, now - position_s)
        if not self.is_clip:
            self.due_s = self._origin_s + position_s
            self._tell_ahead(self.due_s - now)
        self._wake_engine(self)

    def _tell_ahead(self, ahead_s: float) -> None:
        if ahead_s > AHEAD_TOLD_S and not self._ahead_told:
            self._ahead_told = True
            self.outbox.put(AheadOfRealTime(round(ahead_s * self._rate_hz)))
        elif ahead_s < AHEAD_TOLD_S / 2:
            self._ahead_told = False

    def _place(self, frame_index: int, event: StreamEvent | int) -> None:
        """Keep an event (or a marker) until the frames before `frame_index` are in the outbox."""
        if len(self._placed) >= EVENT_BOUND:
            raise OutOfOrder(f"more than {EVENT_BOUND} markers and gaps wait for their frames; send audio first")
        self._placed.append((frame_index, event))

    def _put_placed(self, *, everything: bool = False) -> None:
        while self._placed and (everything or self._placed[0][0] <= self._delivered_end):
            _, event = self._placed.popleft()
            self.outbox.put(FlushDone(event, self._delivered_end) if isinstance(event, int) else event)
