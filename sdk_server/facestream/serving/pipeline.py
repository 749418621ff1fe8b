"""From audio to frames, for many streams at once: the seam between the transports and everything below.

One `advance` is one batched pass in the order of the data: gather samples and state, one engine step, motion at the
exact frame times, retarget, polish, frames. A stream that fails takes no other with it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.engines.base import SILENCE, Engine, StepOutput
from facestream.engines.bundle import open_bundle
from facestream.engines.onnx import OnnxEngine
from facestream.errors import EngineError
from facestream.motion.interpolate import interpolate
from facestream.motion.live import LiveStreamer
from facestream.polish.chain import POLISH_COLUMNS, FrameMoment, FrameTime, Polisher
from facestream.serving.live_stream import LiveStream, StreamOptions
from facestream.serving.rows import RowTable
from facestream.types import Float32, Frames, Pose

_PREVIOUS = "retarget.previous"
_LAST_MOTION = "motion.last"


class MotionSolver(Protocol):
    """What the pipeline asks of a retargeter."""

    def solve(self, motion: Float32, previous: Float32) -> Float32:
        """ARKit weights `[B, C]` that look like motion `[B, D]`, close to the previous weights `[B, C]`."""
        ...


class Pipeline:
    """One engine (with its model) and one head, shared by all streams of a model. `advance` belongs to one thread."""

    def __init__(self, engine: Engine, retargeter: MotionSolver) -> None:
        model = engine.model
        self.engine = engine
        self.model = model
        self.curve_names = ARKIT_NAMES
        self._retargeter = retargeter
        self._streamer = LiveStreamer(model.hop_samples, model.lookahead_samples)
        self._polisher = Polisher()
        self._silence_class = model.phone_classes.index(SILENCE)
        self._state_names = [spec.name for spec in model.states]
        self._rows = RowTable(
            {spec.name: (spec.shape, np.float32) for spec in model.states}
            | {_LAST_MOTION: ((model.motion_size + 1,), np.float32), _PREVIOUS: ((CURVE_COUNT,), np.float32)}
            | POLISH_COLUMNS
        )

    @property
    def max_rows(self) -> int:
        """Most streams that one `advance` takes."""
        return self.engine.max_rows

    @property
    def open_count(self) -> int:
        """Streams opened and not yet closed."""
        return self._rows.allocated_count

    def open(self, options: StreamOptions) -> LiveStream:
        """A new stream; close it when its client is gone."""
        row = self._rows.allocate(self._polisher.fresh_row(options.seed, options.polish))
        return LiveStream(options, self._streamer, row, lambda: self._rows.release(row))

    def warm_up(self) -> None:
        """Run the engine at every batch size, so that the first client waits no longer than the last."""
        self.engine.warm_up()

    def cost_s(self, row_count: int) -> float:
        """Expected seconds of a one-hop `advance` of that many streams, engine only."""
        return self.engine.cost_s(row_count)

    def advance(self, streams: Sequence[LiveStream], max_hops: int = 1) -> list[Frames | EngineError]:
        """Move all streams on by the same number of hops; gives each one's new frames, in the order given.

        The number is the largest power of two within `max_hops` and every stream's `ready_hops` (few distinct sizes
        keep the engine's memory plans few). Streams without a ready hop get empty frames. At most `max_rows` streams.
        An `EngineError` in the list means that this stream is lost; close it.
        """
        results: list[Frames | EngineError] = [_empty(stream) for stream in streams]
        ready = [place for place, stream in enumerate(streams) if stream.ready_hops > 0]
        if not ready:
            return results
        batch = [streams[place] for place in ready]
        hop_count = 1 << (min(max_hops, *(stream.ready_hops for stream in batch)).bit_length() - 1)
        with self._rows.using([stream.row for stream in batch]):
            outcomes = self._advance_batch(batch, hop_count)
        for place, outcome in zip(ready, outcomes, strict=True):
            results[place] = outcome
        return results

    def _advance_batch(self, batch: Sequence[LiveStream], hop_count: int) -> list[Frames | EngineError]:
        pcm = np.empty((len(batch), hop_count * self._streamer.hop_samples), np.float32)
        for stream, samples in zip(batch, pcm, strict=True):
            stream.read_hops(hop_count, samples)
        rows = np.fromiter((stream.row for stream in batch), np.intp, len(batch))
        try:
            output = self.engine.step(pcm, self._rows.gather(self._state_names, rows))
        except EngineError as error:
            return [_fail(stream, str(error)) for stream in batch]
        failed = output.failed_rows()
        if not failed:
            return list(self._finish_hops(batch, rows, output))
        # Failed rows end here; the healthy ones go on as a smaller batch.
        healthy = np.setdiff1d(np.arange(len(batch)), failed)
        outcomes: list[Frames | EngineError] = [
            _fail(stream, "the model gave values that are not finite for this stream")
            if place in failed
            else _empty(stream)
            for place, stream in enumerate(batch)
        ]
        if healthy.size:
            frames = self._finish_hops([batch[place] for place in healthy], rows[healthy], _pick(output, healthy))
            for place, run in zip(healthy, frames, strict=True):
                outcomes[place] = run
        return outcomes

    def _finish_hops(
        self, batch: Sequence[LiveStream], rows: npt.NDArray[np.intp], output: StepOutput
    ) -> Iterable[Frames]:
        """Keep the state, then make every frame that the new motion rows allow."""
        self._rows.scatter(rows, output.next_state)
        last = self._rows.gather([_LAST_MOTION], rows)[_LAST_MOTION]
        silence = output.phone[:, :, self._silence_class]
        motion = np.concatenate((output.motion, silence[:, :, None]), axis=2)
        motion = np.concatenate((last[:, None], motion), axis=1)  # entry 0 is the row before the first new one
        self._rows.scatter(rows, {_LAST_MOTION: motion[:, -1]})

        runs = [_FrameRun(stream, *stream.complete_hops(output.motion.shape[1])) for stream in batch]
        for turn in range(max(run.count for run in runs)):
            active = [place for place, run in enumerate(runs) if turn < run.count]
            self._make_frame([runs[place] for place in active], rows[active], motion[active], turn)
        return [run.finish() for run in runs]

    def _make_frame(self, runs: Sequence["_FrameRun"], rows: npt.NDArray[np.intp], motion: Float32, turn: int) -> None:
        """The next frame of every run, as one batch. Frames follow from those before, so turns are taken in order."""
        moments = [run.moment(turn) for run in runs]
        entries = np.fromiter((entry for entry, _ in moments), np.intp, len(runs))
        shares = np.fromiter((share for _, share in moments), np.float32, len(runs))
        everyone = np.arange(len(runs))
        after = np.minimum(entries + 1, motion.shape[1] - 1)
        now = interpolate(motion[everyone, entries], motion[everyone, after], shares)

        self._apply_controls(runs, turn)
        state = self._rows.gather((_PREVIOUS, *POLISH_COLUMNS), rows)
        weights = self._retargeter.solve(now[:, :-1], state[_PREVIOUS])
        state[_PREVIOUS] = weights
        polished = self._polisher.polish(
            weights, FrameMoment.of([run.frame_time(turn) for run in runs], now[:, -1]), state
        )
        self._rows.scatter(rows, state)
        for place, run in enumerate(runs):
            run.put(turn, polished.weights[place], polished.left_eye[place], polished.right_eye[place])

    def _apply_controls(self, runs: Sequence["_FrameRun"], turn: int) -> None:
        for run in runs:
            frame_index = run.first_index + turn
            while change := run.stream.due_control(frame_index):
                row = np.array([run.stream.row])
                settings = self._rows.gather(["polish.settings"], row)["polish.settings"]
                self._rows.scatter(row, {"polish.settings": self._polisher.changed_settings(settings, change)})


def open_pipeline(model: str = "live", *, extra_folders: Iterable[Path] = (), thread_count: int = 1) -> Pipeline:
    """A pipeline for a model by name or folder, on the ONNX engine and the shipped head.

    Raises `NotFound` or `BundleError`.
    """
    from facestream.retarget.profile import load_profile
    from facestream.retarget.solver import Retargeter

    bundle = open_bundle(model, extra_folders)
    return Pipeline(OnnxEngine(bundle, thread_count), Retargeter(load_profile()))


class _FrameRun:
    """The frames that one `advance` gives one stream, while they are made."""

    def __init__(self, stream: LiveStream, first_hop: int, frame_end: int) -> None:
        self.stream = stream
        self.first_index = stream.next_frame_index
        self.count = frame_end - self.first_index
        self._hop_before = first_hop - 1
        self._weights = np.empty((self.count, CURVE_COUNT), np.float32)
        self._left_eye = np.empty((self.count, 4), np.float32)
        self._right_eye = np.empty((self.count, 4), np.float32)

    def moment(self, turn: int) -> tuple[int, float]:
        """Entry of the motion block (0: the row before the new ones) that precedes the frame, and the share past it."""
        hop, share = self.stream.motion_clock.position(self.first_index + turn)
        return hop - self._hop_before, share

    def frame_time(self, turn: int) -> FrameTime:
        frame_index = self.first_index + turn
        rate = self.stream.options.frame_rate
        frame_s = rate.denominator / rate.numerator
        return FrameTime(frame_index * rate.denominator / rate.numerator, frame_s, self.stream.presence(frame_index))

    def put(self, turn: int, weights: Float32, left_eye: Float32, right_eye: Float32) -> None:
        self._weights[turn] = weights
        self._left_eye[turn] = left_eye
        self._right_eye[turn] = right_eye

    def finish(self) -> Frames:
        """The frames, without those before the resume point; the stream goes on after them."""
        self.stream.next_frame_index = self.first_index + self.count
        hidden = min(max(self.stream.first_given_frame - self.first_index, 0), self.count)
        head = np.zeros((self.count - hidden, 4), np.float32)
        head[:, 3] = 1.0
        return Frames(
            self.first_index + hidden,
            self._weights[hidden:],
            Pose(head, self._left_eye[hidden:], self._right_eye[hidden:]),
        )


def _empty(stream: LiveStream) -> Frames:
    none = np.zeros((0, 4), np.float32)
    return Frames(stream.next_frame_index, np.zeros((0, CURVE_COUNT), np.float32), Pose(none, none, none))


def _fail(stream: LiveStream, message: str) -> EngineError:
    stream.failure = EngineError(message)
    return stream.failure


def _pick(output: StepOutput, rows: npt.NDArray[np.intp]) -> StepOutput:
    return StepOutput(
        output.motion[rows], output.phone[rows], {name: value[rows] for name, value in output.next_state.items()}
    )
