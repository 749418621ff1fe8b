"""From audio to frames, for many streams at once: the seam between the transports and everything below.

One `advance` is one batched pass in the order of the data: gather samples and state, one engine step, motion at the
exact frame times, retarget, polish, frames. A stream that fails takes no other with it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facestream.acting import Acting, ActingChange, Emotion
from facestream.audio.resample import resampled_length
from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.engines.base import BILABIAL, SILENCE, StepOutput
from facestream.errors import EngineError, InvalidValue
from facestream.motion.base import MotionSource
from facestream.motion.head_rotation import quaternions_of
from facestream.motion.interpolate import interpolate
from facestream.polish import chain as polish
from facestream.serving.acting_queue import ActingQueue
from facestream.serving.live_stream import LiveStream, StreamOptions
from facestream.serving.rows import RowTable
from facestream.timebase import FrameClock
from facestream.types import Float32, Frames, Pose

_PREVIOUS = "retarget.previous"
_LAST_MOTION = "motion.last"
SILENCE_EXTRA = "silence"
"""Among `Frames.extras`: the network's probability `[F]` that nobody speaks."""
_HEARD = (SILENCE, BILABIAL)
"""Phone classes whose probability travels with the motion, behind its last column."""
_NOT_FINITE = "the model gave values that are not finite for this stream"
_FRAME_COLUMNS = (_PREVIOUS, *polish.POLISH_COLUMNS)
_SETTLED_COLUMNS = (_PREVIOUS, polish.CALM, polish.SMOOTHED, polish.SHOWN)
"""Columns that each frame moves on; blinks and gaze move on once for the whole run."""


class MotionSolver(Protocol):
    """What the pipeline asks of a retargeter."""

    def solve(self, motion: Float32, previous: Float32) -> Float32:
        """ARKit weights `[B, C]` that look like motion `[B, D]`, close to the previous weights `[B, C]`."""
        ...


class Pipeline:
    """One engine (with its model) and one head, shared by all streams of a model. `advance` belongs to one thread."""

    def __init__(self, source: MotionSource, retargeter: MotionSolver) -> None:
        model = source.model
        self.source = source
        self.model = model
        self.curve_names = ARKIT_NAMES
        self._retargeter = retargeter
        self._heard = [model.phone_classes.index(name) if name in model.phone_classes else None for name in _HEARD]
        self._state_names = list(source.columns)
        self._rows = RowTable(
            dict(source.columns)
            | {_LAST_MOTION: ((model.motion_size + len(_HEARD),), np.float32), _PREVIOUS: ((CURVE_COUNT,), np.float32)}
            | polish.POLISH_COLUMNS
        )

    @property
    def max_rows(self) -> int:
        """Most streams that one `advance` takes."""
        return self.source.max_rows

    @property
    def open_count(self) -> int:
        """Streams opened and not yet closed."""
        return self._rows.allocated_count

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
        row = self._rows.allocate(
            {
                **self.source.fresh_row(options.seed, first_sample),
                **polish.fresh_row(options.seed, options.polish, first_time_s),
            }
        )
        whole = self.source.whole_clips if is_clip else None
        streamer = self.source.live_streamer if whole is None else whole.streamer
        try:
            stream = LiveStream(
                options,
                streamer,
                row,
                lambda: self._rows.release(row),
                whole=whole,
                abilities=self.model.abilities,
                check_acting=partial(self.source.check_pace, is_clip=whole is not None),
            )
        except InvalidValue:
            self._rows.release(row)
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
        self.source.warm_up()

    def cost_s(self, row_count: int) -> float:
        """Expected seconds of a one-hop `advance` of that many streams, engine only."""
        return self.source.cost_s(row_count)

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
        try:
            output = self.source.step(pcm, self._rows.gather(self._state_names, rows))
        except EngineError as error:
            return [_fail(stream, str(error)) for stream in batch]
        failed = output.failed_rows()
        if not failed:
            return [*self._finish_hops(batch, rows, output)]
        # Failed rows end here; the healthy ones go on as a smaller batch.
        healthy = np.setdiff1d(np.arange(len(batch)), failed)
        outcomes: list[Frames | EngineError] = [
            _fail(stream, _NOT_FINITE) if place in failed else no_frames(stream) for place, stream in enumerate(batch)
        ]
        if healthy.size:
            frames = self._finish_hops([batch[place] for place in healthy], rows[healthy], _pick(output, healthy))
            for place, run in zip(healthy, frames, strict=True):
                outcomes[place] = run
        return outcomes

    def _advance_whole(self, stream: LiveStream, max_hops: int) -> Frames | EngineError:
        """Frames of motion that is there already; where there is none, the next part of the recording comes first."""
        rows = np.array([stream.row], np.intp)
        if not stream.has_motion_ahead:
            whole, part = self.source.whole_clips, stream.next_part()
            if whole is None or part is None:
                return no_frames(stream)
            if acting := stream.due_acting():
                self._act(stream.row, acting)
            try:
                output = whole.step(stream.read_part(part), self._rows.gather(self._state_names, rows), part)
            except EngineError as error:
                return _fail(stream, str(error))
            if output.failed_rows():
                return _fail(stream, _NOT_FINITE)
            self._rows.scatter(rows, output.next_state)
            stream.keep_ahead(output)
        (frames,) = self._finish_hops([stream], rows, stream.take_ahead(max_hops))
        return frames

    def _act(self, row: int, acting: Acting) -> None:
        values = self.source.acting_row(acting)
        rows = np.array([row], np.intp)
        self._rows.scatter(rows, {name: np.asarray(value)[None] for name, value in values.items()})

    def _finish_hops(self, batch: Sequence[LiveStream], rows: npt.NDArray[np.intp], output: StepOutput) -> list[Frames]:
        """Keep the state, then make every frame that the new motion rows allow."""
        row_count = output.motion.shape[1]
        self._rows.scatter(rows, output.next_state)
        last = self._rows.gather([_LAST_MOTION], rows)[_LAST_MOTION]
        motion = np.zeros((len(batch), row_count + 1, last.shape[1]), np.float32)
        motion[:, 0] = last  # the row before the first new one
        motion[:, 1:, : -len(_HEARD)] = output.motion
        for place, phone_class in enumerate(self._heard, -len(_HEARD)):
            if phone_class is not None:
                motion[:, 1:, place] = output.phone[:, :, phone_class]
        if output.seal is not None:
            motion[:, 1:, -1] = output.seal
        self._rows.scatter(rows, {_LAST_MOTION: motion[:, -1]})

        ends = [stream.complete_hops(row_count // self.model.motions_per_hop) for stream in batch]
        counts = np.array([end - stream.next_frame_index for stream, end in zip(batch, ends, strict=True)])
        moving = np.flatnonzero(counts)
        runs: list[Frames] = [no_frames(stream) for stream in batch]
        if moving.size:
            streams = [batch[place] for place in moving.tolist()]
            made = self._make_frames(streams, counts[moving], rows[moving], motion[moving])
            for place, stream, weights, eyes, head, silence in zip(moving.tolist(), streams, *made, strict=True):
                count = counts[place]
                pose = Pose(head[:count], eyes[:count, 0], eyes[:count, 1])
                runs[place] = self._given_out(stream, weights[:count], pose, silence[:count])
        return runs

    def _make_frames(
        self, streams: Sequence[LiveStream], counts: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], motion: Float32
    ) -> tuple[Float32, Float32, Float32, Float32]:
        """The next `counts` `[B]` frames of every stream.

        Gives weights `[B, F, C]`, eyes `[B, F, 2, 4]`, the head `[B, F, 4]` and silence `[B, F]`.

        `motion` `[B, M + 1, D + 2]` ends with the probabilities of `_HEARD`. Beyond a row's count nothing is meant.
        """
        frame_count, row_count = int(counts.max()), motion.shape[1] - 1
        plans = [
            stream.frame_plan(min(turn, count - 1), row_count)
            for stream, count in zip(streams, counts.tolist(), strict=True)
            for turn in range(frame_count)
        ]
        plan = np.array(plans).reshape(len(streams), frame_count, 4)
        entries, shares, times_s = plan[:, :, 0].astype(np.intp), plan[:, :, 1, None].astype(np.float32), plan[:, :, 2]
        everyone = np.arange(len(streams))[:, None]
        now = interpolate(motion[everyone, entries], motion[everyone, np.minimum(entries + 1, row_count)], shares)

        state = self._rows.gather(_FRAME_COLUMNS, rows)
        frame_s = np.array([stream.frame_s for stream in streams])
        weights = np.zeros((*times_s.shape, CURVE_COUNT), np.float32)
        shown = np.zeros((*times_s.shape, 2), np.float32)
        # A frame follows from the one before it, so each turn makes one frame of every stream that still has one.
        for turn in range(frame_count):
            active = np.flatnonzero(counts > turn)
            for place in active.tolist():
                while change := streams[place].due_control(streams[place].next_frame_index + turn):
                    polish.apply_change(state[polish.SETTINGS][place], change)
            part = state if active.size == len(streams) else {name: value[active] for name, value in state.items()}
            row_motion = now[active, turn, : self.model.face_size]
            silence, bilabial = now[active, turn, -2], now[active, turn, -1]
            part[_PREVIOUS] = self._retargeter.solve(row_motion, part[_PREVIOUS])
            polish.settle(part[_PREVIOUS], silence, bilabial, frame_s[active], part)
            weights[active, turn], shown[active, turn] = part[polish.SMOOTHED], part[polish.SHOWN]
            if part is not state:
                for name in _SETTLED_COLUMNS:
                    state[name][active] = part[name]
        presence = plan[:, :, 3].astype(np.float32)
        result = polish.finish(weights, shown, times_s, presence, state)
        self._rows.scatter(rows, state)
        return *result, self._heads(now, presence), now[:, :, -2]

    def _heads(self, motion: Float32, presence: Float32) -> Float32:
        """Rotations `[B, F, 4]` of the head in `motion` `[B, F, D + 2]`, as far as there is a face."""
        if not self.model.moves_head:
            return np.broadcast_to(_FACING_FORWARD, (*presence.shape, 4))
        turned = motion[:, :, self.model.face_size : self.model.motion_size]
        return quaternions_of(turned * presence[:, :, None])

    def _given_out(self, stream: LiveStream, weights: Float32, pose: Pose, silence: Float32) -> Frames:
        """The frames just made, without those before the resume point; the stream goes on after them."""
        first = stream.next_frame_index
        stream.next_frame_index = first + len(weights)
        if not len(weights):
            return no_frames(stream)
        hidden = min(max(stream.first_given_frame - first, 0), len(weights))
        shown = Pose(pose.head[hidden:], pose.left_eye[hidden:], pose.right_eye[hidden:])
        extras = {} if self._heard[0] is None else {SILENCE_EXTRA: silence[hidden:]}
        return Frames(first + hidden, weights[hidden:], shown, extras)


_FACING_FORWARD = np.array([0.0, 0.0, 0.0, 1.0], np.float32)
_NO_ROTATIONS = np.zeros((0, 4), np.float32)
_NOTHING = Pose(_NO_ROTATIONS, _NO_ROTATIONS, _NO_ROTATIONS)
_NO_WEIGHTS = np.zeros((0, CURVE_COUNT), np.float32)


def no_frames(stream: LiveStream) -> Frames:
    """An empty run where the stream stands."""
    return Frames(stream.next_frame_index, _NO_WEIGHTS, _NOTHING)


def _fail(stream: LiveStream, message: str) -> EngineError:
    stream.failure = EngineError(message)
    return stream.failure


def _pick(output: StepOutput, rows: npt.NDArray[np.intp]) -> StepOutput:
    return StepOutput(
        output.motion[rows],
        output.phone[rows],
        {name: value[rows] for name, value in output.next_state.items()},
        None if output.seal is None else output.seal[rows],
    )
