"""From audio to frames, for many streams at once: the seam between the transports and everything below.

A pipeline keeps the books of its streams: whose samples make the next step, which frames come of it, and what has been
asked for them. The arithmetic of a step is its animator's, in this process or in another. A stream that fails takes no
other with it.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from facestream.acting import Acting, ActingChange, Emotion
from facestream.audio.resample import resampled_length
from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.engines.base import SILENCE
from facestream.errors import EngineError, InvalidValue
from facestream.motion.base import MotionSource
from facestream.motion.warm_up import STEP_S
from facestream.polish import chain as polish
from facestream.serving.acting_queue import ActingQueue
from facestream.serving.animator import Animates, Faces, FramePlan
from facestream.serving.live_stream import LiveStream, StreamOptions
from facestream.serving.rows import RowNumbers
from facestream.timebase import FrameClock
from facestream.types import Float32, Frames, Pose

SILENCE_EXTRA = "silence"
"""Among `Frames.extras`: the network's probability `[F]` that nobody speaks."""
_NOT_FINITE = "the model gave values that are not finite for this stream"


class Pipeline:
    """One engine (with its model) and one head, shared by all streams of a model. `advance` belongs to one thread."""

    def __init__(self, animator: Animates) -> None:
        self.model = animator.source.model
        self.curve_names = ARKIT_NAMES
        self.animator = animator
        self._rows = RowNumbers()
        self._hop_s: dict[int, float] = {}
        """What a hop of each row takes, where that is its acting's."""
        self._hears_silence = SILENCE in self.model.phone_classes

    @property
    def source(self) -> MotionSource:
        """Where motion comes from, as far as that is known here."""
        return self.animator.source

    @property
    def max_rows(self) -> int:
        """Most streams that one `advance` takes."""
        return self.source.max_rows

    def rows_in_step(self, streams: Sequence[LiveStream]) -> int:
        """With how many of these live streams, from the first on, an `advance` keeps its time: with one at least."""
        seconds = np.cumsum([self._hop_s.get(stream.row, 0.0) for stream in streams[: self.max_rows]])
        return max(int(np.searchsorted(seconds, STEP_S, side="right")), 1)

    @property
    def open_count(self) -> int:
        """Streams opened and not yet closed."""
        return self._rows.taken_count

    @property
    def animates_wholes(self) -> bool:
        """Whether recordings take steps of their own, as long as the recordings are."""
        return self.source.whole_clips is not None

    def open(self, options: StreamOptions, *, is_clip: bool = False) -> LiveStream:
        """A new stream; close it when its client is gone.

        Raises `InvalidValue` for an acting that the model does not have.
        """
        clock = FrameClock(options.frame_rate, options.sample_rate_hz)
        first_time_s = float(clock.time_of(clock.frames_until(options.first_sample)))
        first_sample = resampled_length(options.first_sample, options.sample_rate_hz)
        row = self._rows.take()
        self.animator.reset(
            row,
            {
                **self.source.fresh_row(options.seed, first_sample),
                **polish.fresh_row(options.seed, options.polish, first_time_s),
            },
        )
        whole = self.source.whole_clips if is_clip else None
        streamer = self.source.live_streamer if whole is None else whole.streamer
        try:
            stream = LiveStream(
                options,
                streamer,
                row,
                lambda: self._rows.give_back(row),
                whole=whole,
                abilities=self.model.abilities,
                check_acting=partial(self.source.check_pace, is_clip=whole is not None),
            )
        except InvalidValue:
            self._rows.give_back(row)
            raise
        if self.model.abilities is not None:
            self._act(row, stream.acting)
        return stream

    def check_acting(self, change: ActingChange) -> None:
        """Raise `InvalidValue` for an acting that the model does not have."""
        ActingQueue(self.model.abilities, change)

    def hear_emotion(self, pcm: Float32) -> Emotion:
        """The emotion of a recording `[1, T]` at 16 kHz, whole hops of it, for a model that acts.

        From any thread, beside `advance`. Raises `EngineError`.
        """
        mean, log_variance = self.source.hear(pcm)
        return Emotion(mean[0], log_variance[0])

    def warm_up(self) -> None:
        """Run the engine at every batch size, so that the first client waits no longer than the last."""
        self.animator.warm_up()

    def cost_s(self, row_count: int) -> float:
        """Expected seconds of a one-hop `advance` of that many streams, engine only."""
        return self.source.cost_s(row_count)

    @property
    def is_lost(self) -> bool:
        """Whether no stream will ever move on again; load another."""
        return self.animator.is_lost

    def close(self) -> None:
        """End what runs for it, from any thread, even in the middle of a step."""
        self.animator.close()

    def advance(self, streams: Sequence[LiveStream], max_hops: int = 1) -> list[Frames | EngineError]:
        """Move all streams on by the same number of hops; gives each one's new frames, in the order given.

        The number is the largest power of two within `max_hops` and every stream's `ready_hops` (few distinct sizes
        keep the engine's memory plans few). Streams without a ready hop get no frames. At most `max_rows` streams.
        An `EngineError` in the list means that this stream is lost; close it. Streams of recordings that are animated
        as wholes and live streams do not mix; of the former each moves on for itself.
        """
        ready_hops = [stream.begin_step() for stream in streams]
        try:
            places = [place for place, ready in enumerate(ready_hops) if ready > 0]
            results: list[Frames | EngineError] = [no_frames(stream) for stream in streams]
            if places and streams[places[0]].is_whole:
                for place in places:
                    results[place] = self._advance_whole(streams[place], max_hops)
            elif places:
                hop_count = 1 << (min(max_hops, *(ready_hops[place] for place in places)).bit_length() - 1)
                outcomes = self._advance_batch([streams[place] for place in places], hop_count)
                for place, outcome in zip(places, outcomes, strict=True):
                    results[place] = outcome
            return results
        finally:
            for stream in streams:
                stream.end_step()

    def _advance_batch(self, batch: Sequence[LiveStream], hop_count: int) -> list[Frames | EngineError]:
        streamer = self.source.live_streamer
        samples_read = streamer.samples_for(hop_count) - streamer.first_sample_for(0)
        pcm = np.empty((len(batch), samples_read), np.float32)
        for stream, samples in zip(batch, pcm, strict=True):
            stream.read_hops(samples)
        if self.model.abilities is not None:
            for stream in batch:
                if acting := stream.due_acting():
                    self._act(stream.row, acting)
        rows = np.fromiter((stream.row for stream in batch), np.intp, len(batch))
        plan = _plan(batch, hop_count, hop_count * self.model.motions_per_hop)
        try:
            faces = self.animator.advance(rows, pcm, plan)
        except EngineError as error:
            return [_fail(stream, str(error)) for stream in batch]
        return self._given_out(batch, plan, faces)

    def _advance_whole(self, stream: LiveStream, max_hops: int) -> Frames | EngineError:
        """Frames of motion that is there already; where there is none, the next part of the recording comes first."""
        if not stream.has_motion_ahead:
            part = stream.next_part()
            if part is None:
                return no_frames(stream)
            if acting := stream.due_acting():
                self._act(stream.row, acting)
            try:
                output = self.animator.move_whole(stream.row, stream.read_part(part), part)
            except EngineError as error:
                return _fail(stream, str(error))
            if output is None:
                return _fail(stream, _NOT_FINITE)
            stream.keep_ahead(output)
        motion = stream.take_ahead(max_hops)
        row_count = motion.motion.shape[1]
        plan = _plan([stream], row_count // self.model.motions_per_hop, row_count)
        (frames,) = self._given_out([stream], plan, self.animator.show(stream.row, motion, plan))
        return frames

    def _act(self, row: int, acting: Acting) -> None:
        self.animator.put(row, self.source.acting_row(acting))
        self._hop_s[row] = self.source.hop_s(acting)

    def _given_out(self, batch: Sequence[LiveStream], plan: FramePlan, faces: Faces) -> list[Frames | EngineError]:
        """The frames just made, without those before a stream's resume point; the streams go on after them."""
        outcomes: list[Frames | EngineError] = []
        for place, (stream, count) in enumerate(zip(batch, plan.counts.tolist(), strict=True)):
            if place in faces.failed:
                outcomes.append(_fail(stream, _NOT_FINITE))
                continue
            first = stream.next_frame_index
            stream.next_frame_index = first + count
            if not count:
                outcomes.append(no_frames(stream))
                continue
            hidden = min(max(stream.first_given_frame - first, 0), count)
            shown = slice(hidden, count)
            eyes = faces.eyes[place, shown]
            extras = {SILENCE_EXTRA: faces.silence[place, shown]} if self._hears_silence else {}
            pose = Pose(faces.head[place, shown], eyes[:, 0], eyes[:, 1])
            outcomes.append(Frames(first + hidden, faces.weights[place, shown], pose, extras))
        return outcomes


def _plan(batch: Sequence[LiveStream], hop_count: int, row_count: int) -> FramePlan:
    """Move the streams on by hops that give so many motion rows: the frames that can be made now."""
    ends = [stream.complete_hops(hop_count) for stream in batch]
    counts = [end - stream.next_frame_index for stream, end in zip(batch, ends, strict=True)]
    frame_count = max(counts)
    plan = np.array(
        [
            stream.frame_plan(min(frame, count - 1), row_count) if count else _NOT_MEANT
            for stream, count in zip(batch, counts, strict=True)
            for frame in range(frame_count)
        ]
    ).reshape(len(batch), frame_count, len(_NOT_MEANT))
    changes = []
    for frame in range(frame_count):
        for place, stream in enumerate(batch):
            while frame < counts[place] and (change := stream.due_control(stream.next_frame_index + frame)):
                changes.append((place, frame, change))
    return FramePlan(
        counts=np.array(counts, np.intp),
        entries=plan[:, :, 0].astype(np.intp),
        shares=plan[:, :, 1].astype(np.float32),
        times_s=plan[:, :, 2],
        presence=plan[:, :, 3].astype(np.float32),
        frame_s=np.array([stream.frame_s for stream in batch]),
        changes=tuple(changes),
    )


_NOT_MEANT = (0, 0.0, 0.0, 0.0)
_NO_ROTATIONS = np.zeros((0, 4), np.float32)
_NOTHING = Pose(_NO_ROTATIONS, _NO_ROTATIONS, _NO_ROTATIONS)
_NO_WEIGHTS = np.zeros((0, CURVE_COUNT), np.float32)


def no_frames(stream: LiveStream) -> Frames:
    """An empty run where the stream stands."""
    return Frames(stream.next_frame_index, _NO_WEIGHTS, _NOTHING)


def _fail(stream: LiveStream, message: str) -> EngineError:
    stream.failure = EngineError(message)
    return stream.failure
