"""From samples to faces, for a batch of rows: everything of a step that is arithmetic, and the state that it moves on.

In the order of the data: gather the rows' state, one engine step, motion at the exact frame times, retarget, polish. It
knows rows and arrays, no streams and no clients, so it may run in a process of its own (`engine_process.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from facestream.curves import CURVE_COUNT
from facestream.engines.base import BILABIAL, SILENCE, StepOutput
from facestream.motion.base import MotionSource, WholePart
from facestream.motion.head_rotation import quaternions_of
from facestream.motion.interpolate import interpolate
from facestream.polish import chain as polish
from facestream.polish.options import ControlChange
from facestream.serving.rows import RowTable
from facestream.types import Float32

Places = npt.NDArray[np.intp]

_PREVIOUS = "retarget.previous"
_LAST_MOTION = "motion.last"
_HEARD = (SILENCE, BILABIAL)
"""Phone classes whose probability travels with the motion, behind its last column."""
_FRAME_COLUMNS = (_PREVIOUS, *polish.POLISH_COLUMNS)


class MotionSolver(Protocol):
    """What is asked of a retargeter."""

    def solve_in_turn(self, motion: Float32, previous: Float32, counts: Places) -> Float32:
        """ARKit weights `[B, F, C]` that look like `counts` `[B]` frames of motion `[B, F, D]`, each close to the frame
        before it, the first one to the `previous` weights `[B, C]`.
        """
        ...


@dataclass(frozen=True, slots=True)
class FramePlan:
    """The next `counts` `[B]` frames of every row, at most F.

    A frame lies `shares` of a motion row behind motion row `entries` (0 is the last one of the step before), at
    `times_s`, and shows `presence` of the face; all `[B, F]`, and beyond a row's count nothing is meant. `frame_s`
    `[B]` is the length of a frame. `changes` holds (place in the batch, frame, change) in the order in which they act.
    """

    counts: Places
    entries: Places
    shares: Float32
    times_s: npt.NDArray[np.float64]
    presence: Float32
    frame_s: npt.NDArray[np.float64]
    changes: tuple[tuple[int, int, ControlChange], ...] = ()

    @property
    def frame_count(self) -> int:
        return int(self.entries.shape[1])

    def of(self, places: Places) -> "FramePlan":
        """That of some rows of the batch."""
        new_place = {int(place): number for number, place in enumerate(places)}
        changes = ((new_place[place], frame, change) for place, frame, change in self.changes if place in new_place)
        return FramePlan(
            self.counts[places], self.entries[places], self.shares[places], self.times_s[places],
            self.presence[places], self.frame_s[places], tuple(changes),
        )  # fmt: skip


class Faces(NamedTuple):
    """Frames of a batch: `weights` `[B, F, C]`, and as quaternions x y z w `eyes` `[B, F, 2, 4]` (left, right) and
    `head` `[B, F, 4]`; the probability `silence` `[B, F]` that nobody speaks. Rows in `failed` could not be computed.
    """

    weights: Float32
    eyes: Float32
    head: Float32
    silence: Float32
    failed: tuple[int, ...] = ()


class Animates(Protocol):
    """What a pipeline asks of its animator. `reset` and `put` may be called while another thread is in a step."""

    @property
    def source(self) -> MotionSource: ...

    @property
    def steps_at_once(self) -> int:
        """Threads that may call `advance`, with rows of their own; more than one where steps overlap."""
        ...

    @property
    def is_lost(self) -> bool:
        """Whether it will never take a step again."""
        ...

    def reset(self, row: int, initial: Mapping[str, Any]) -> None:
        """The row begins anew: zeros, except for the columns named in `initial`."""
        ...

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        """Write columns of one row."""
        ...

    def advance(self, rows: Places, pcm: Float32, plan: FramePlan) -> Faces:
        """One step of rows `[B]` with their samples `[B, T]`. Raises `EngineError` where the whole step failed."""
        ...

    def move_whole(self, row: int, pcm: Float32, part: WholePart) -> StepOutput | None:
        """Motion of a part of a recording `[1, T]`, animated as a whole; `None` where it could not be computed.

        Raises `EngineError`.
        """
        ...

    def show(self, row: int, output: StepOutput, plan: FramePlan) -> Faces:
        """Faces of motion that `move_whole` gave."""
        ...

    def warm_up(self) -> None:
        """Run the engine at every batch size, so that the first client waits no longer than the last."""
        ...

    def close(self) -> None:
        """End what it runs, from any thread, even in the middle of a step."""
        ...


class Animator:
    """One model and one head in this process, with the state of all rows."""

    steps_at_once = 1

    def __init__(self, source: MotionSource, retargeter: MotionSolver) -> None:
        model = source.model
        self.source = source
        self._model = model
        self._retargeter = retargeter
        self._heard = [model.phone_classes.index(name) if name in model.phone_classes else None for name in _HEARD]
        self._state_names = list(source.columns)
        self._rows = RowTable(
            dict(source.columns)
            | {_LAST_MOTION: ((model.motion_size + len(_HEARD),), np.float32), _PREVIOUS: ((CURVE_COUNT,), np.float32)}
            | polish.POLISH_COLUMNS
        )

    @property
    def is_lost(self) -> bool:
        return False

    def reset(self, row: int, initial: Mapping[str, Any]) -> None:
        self._rows.reset(row, initial)

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        self._rows.scatter(np.array([row], np.intp), {name: np.asarray(value)[None] for name, value in values.items()})

    def advance(self, rows: Places, pcm: Float32, plan: FramePlan) -> Faces:
        output = self.source.step(pcm, self._rows.gather(self._state_names, rows))
        failed = output.failed_rows()
        if not failed:
            return self._finish(rows, output, plan)
        # Failed rows end here; the healthy ones go on as a smaller batch.
        healthy = np.setdiff1d(np.arange(len(rows)), failed)
        faces = _no_faces(len(rows), plan.frame_count)
        if healthy.size:
            _fill(faces, healthy, self._finish(rows[healthy], _pick(output, healthy), plan.of(healthy)))
        return faces._replace(failed=tuple(failed))

    def move_whole(self, row: int, pcm: Float32, part: WholePart) -> StepOutput | None:
        whole = self.source.whole_clips
        assert whole is not None
        rows = np.array([row], np.intp)
        output = whole.step(pcm, self._rows.gather(self._state_names, rows), part)
        if output.failed_rows():
            return None
        self._rows.scatter(rows, output.next_state)
        return output

    def show(self, row: int, output: StepOutput, plan: FramePlan) -> Faces:
        return self._finish(np.array([row], np.intp), output, plan)

    def warm_up(self) -> None:
        self.source.warm_up()

    def close(self) -> None:
        """Nothing of it runs by itself."""

    def _finish(self, rows: Places, output: StepOutput, plan: FramePlan) -> Faces:
        """Keep the state, then make every frame that the new motion rows allow."""
        row_count = output.motion.shape[1]
        self._rows.scatter(rows, output.next_state)
        last = self._rows.gather([_LAST_MOTION], rows)[_LAST_MOTION]
        motion = np.zeros((len(rows), row_count + 1, last.shape[1]), np.float32)
        motion[:, 0] = last  # the row before the first new one
        motion[:, 1:, : -len(_HEARD)] = output.motion
        for place, phone_class in enumerate(self._heard, -len(_HEARD)):
            if phone_class is not None:
                motion[:, 1:, place] = output.phone[:, :, phone_class]
        if output.seal is not None:
            motion[:, 1:, -1] = output.seal
        self._rows.scatter(rows, {_LAST_MOTION: motion[:, -1]})
        moving = np.flatnonzero(plan.counts)
        if moving.size == len(rows):
            return self._make_frames(rows, motion, plan)
        faces = _no_faces(len(rows), plan.frame_count)
        if moving.size:
            _fill(faces, moving, self._make_frames(rows[moving], motion[moving], plan.of(moving)))
        return faces

    def _make_frames(self, rows: Places, motion: Float32, plan: FramePlan) -> Faces:
        """Of motion `[B, M + 1, D + 2]`, which ends with the probabilities of `_HEARD`; every row has a frame."""
        everyone, following = np.arange(len(rows))[:, None], np.minimum(plan.entries + 1, motion.shape[1] - 1)
        now = interpolate(motion[everyone, plan.entries], motion[everyone, following], plan.shares[:, :, None])

        state = self._rows.gather(_FRAME_COLUMNS, rows)
        settings = np.repeat(state[polish.SETTINGS][:, None], plan.frame_count, axis=1)
        for place, frame, change in plan.changes:
            polish.apply_change(settings[place, frame:].T, change)
        last = np.arange(len(rows)), plan.counts - 1
        state[polish.SETTINGS] = settings[:, -1]
        weights = self._retargeter.solve_in_turn(now[:, :, : self._model.face_size], state[_PREVIOUS], plan.counts)
        state[_PREVIOUS] = weights[last]
        silence, bilabial = now[:, :, -2], now[:, :, -1]
        weights, shown = polish.settle(weights, silence, bilabial, settings, plan.frame_s, plan.counts, state)
        finished, eyes = polish.finish(weights, shown, plan.times_s, plan.presence, state)
        self._rows.scatter(rows, state)
        return Faces(finished, eyes, self._heads(now, plan.presence), now[:, :, -2])

    def _heads(self, motion: Float32, presence: Float32) -> Float32:
        """Rotations `[B, F, 4]` of the head in `motion` `[B, F, D + 2]`, as far as there is a face."""
        if not self._model.moves_head:
            return np.broadcast_to(_FACING_FORWARD, (*presence.shape, 4))
        turned = motion[:, :, self._model.face_size : self._model.motion_size]
        return quaternions_of(turned * presence[:, :, None])


_FACING_FORWARD = np.array([0.0, 0.0, 0.0, 1.0], np.float32)


def _no_faces(row_count: int, frame_count: int) -> Faces:
    def zeros(*size: int) -> Float32:
        return np.zeros((row_count, frame_count, *size), np.float32)

    return Faces(zeros(CURVE_COUNT), zeros(2, 4), zeros(4), zeros())


def _fill(faces: Faces, places: Places, made: Faces) -> None:
    for whole, part in zip(faces[:4], made[:4], strict=True):
        whole[places] = part


def _pick(output: StepOutput, rows: Places) -> StepOutput:
    return StepOutput(
        output.motion[rows],
        output.phone[rows],
        {name: value[rows] for name, value in output.next_state.items()},
        None if output.seal is None else output.seal[rows],
    )
