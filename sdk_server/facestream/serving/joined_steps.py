"""Steps of one engine for many askers, each in a thread of its own: what is asked while it is busy becomes one step.

A step of many rows takes less time a row than many small ones, so servers that share an engine share its batches too.
Nobody waits for company: as soon as the engine is free, whoever asked first gets a step, and takes along those who ask
for as many samples a row and still have room in it.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facestream.engines.base import Engine, StepOutput
from facestream.errors import EngineError
from facestream.serving.animator import Places
from facestream.serving.rows import RowTable
from facestream.types import Float32

STEPS_AT_ONCE = 2
"""While one step computes, another one's rows are put together (`engine_process` has the figures)."""


@dataclass(slots=True, eq=False)
class _Asked:
    rows: Places
    pcm: Float32
    answer: StepOutput | EngineError | None = None


class JoinedSteps:
    """An engine and the state of all rows, for any number of threads."""

    def __init__(self, engine: Engine, at_once: int = STEPS_AT_ONCE) -> None:
        self._engine = engine
        self._state_names = [spec.name for spec in engine.model.states]
        self._state = RowTable({spec.name: (spec.shape, np.float32) for spec in engine.model.states})
        self._changed = threading.Condition()
        self._waiting: deque[_Asked] = deque()
        self._free = at_once

    def begin(self, row: int) -> None:
        """The next step of this row is its first."""
        self._state.reset(row, {})

    def step(self, rows: Places, pcm: Float32) -> StepOutput:
        """Advance `rows` `[B]`, which nobody else asks for meanwhile, by their samples `[B, T]`; without the state.

        Raises `EngineError` where the whole step failed.
        """
        asked = _Asked(rows, pcm)
        with self._changed:
            self._waiting.append(asked)
            self._changed.wait_for(lambda: asked.answer or self._is_next(asked))
            batch = [] if asked.answer else self._take_batch()
        if batch:
            try:
                self._compute(batch)
            finally:
                with self._changed:
                    self._free += 1
                    self._changed.notify_all()
        assert asked.answer is not None
        if isinstance(asked.answer, EngineError):
            raise asked.answer
        return asked.answer

    def _is_next(self, asked: _Asked) -> bool:
        return self._free > 0 and bool(self._waiting) and self._waiting[0] is asked

    def _take_batch(self) -> list[_Asked]:
        """Whoever waits longest, and all who fit in with it."""
        batch = [self._waiting.popleft()]
        room = self._engine.max_rows - len(batch[0].rows)
        for asked in list(self._waiting):
            if asked.pcm.shape[1] == batch[0].pcm.shape[1] and len(asked.rows) <= room:
                self._waiting.remove(asked)
                batch.append(asked)
                room -= len(asked.rows)
        self._free -= 1
        self._changed.notify_all()  # somebody else is the first now
        return batch

    def _compute(self, batch: Sequence[_Asked]) -> None:
        rows = np.concatenate([asked.rows for asked in batch])
        pcm = np.concatenate([asked.pcm for asked in batch])
        try:
            output = self._engine.step(pcm, self._state.gather(self._state_names, rows))
        except EngineError as error:
            for asked in batch:
                asked.answer = error
            return
        self._state.scatter(rows, output.next_state)
        begin = 0
        for asked in batch:
            end = begin + len(asked.rows)
            seal = None if output.seal is None else output.seal[begin:end]
            asked.answer = StepOutput(output.motion[begin:end], output.phone[begin:end], {}, seal)
            begin = end
