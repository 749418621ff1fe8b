"""An animator in a process of its own, beside the one that serves clients.

Python runs one thread of a process at a time. A server of 64 live streams spends half of a core on messages and a third
on the arithmetic between matrix products, and each waits for the other. Apart they meet at the processor only: with 64
streams on two cores p99 of the added latency went from 54 ms to 10 with a compiled client, from 130 to 20 with a Python
one, and 80 streams from 970 to 9 ms (2026-11-21). What travels is small: samples and plans of a batch in, frames out,
some 300 kB a step, for 5 us a row of both processors' time.

Two steps may be under way there at once: whichever core is free takes one on, and one is sent or gathered while another
computes. With 200 streams on two cores that took p99 from 235 and 416 ms to 153 and 117, and from 184 to 70 in 8 bits
(single runs by turns, 2026-11-22).
"""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facestream.engines.base import CostTable, ModelFacts, StepOutput
from facestream.engines.choice import EngineOptions
from facestream.errors import FacestreamError
from facestream.motion.base import MotionSource, WholePart
from facestream.motion.live import LiveMotion
from facestream.serving.animator import Faces, FramePlan, Places
from facestream.serving.helper_process import HelperProcess
from facestream.serving.questions import Questions
from facestream.types import Float32


class EngineProcess:
    """An `Animates` for a bundle of the family `live`."""

    steps_at_once = 2

    def __init__(self, folder: Path, engine: EngineOptions) -> None:
        """Start it and wait until the bundle is open there. Raises what is wrong with it, and `EngineError`."""
        self._process = HelperProcess("facestream.serving.engine_worker", self.steps_at_once)
        self._questions = Questions(self._process.pipes)
        self._notes: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
        """`reset` and `put` of a row since its last step; they go with its next one."""
        self._noting = threading.Lock()
        try:
            model, max_rows = self._ask(folder, engine)
        except FacestreamError:
            self.close()
            raise
        self._costs = CostTable()
        self._source = LiveMotion(_FarEngine(model, max_rows, self._costs))

    @property
    def source(self) -> MotionSource:
        return self._source

    @property
    def is_lost(self) -> bool:
        return self._questions.is_gone

    def reset(self, row: int, initial: Mapping[str, Any]) -> None:
        with self._noting:
            self._notes[row] = [("reset", initial)]  # whatever was to be done before is undone by it

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        with self._noting:
            self._notes.setdefault(row, []).append(("put", values))

    def advance(self, rows: Places, pcm: Float32, plan: FramePlan) -> Faces:
        with self._noting:
            notes = {row: self._notes.pop(row) for row in rows.tolist() if row in self._notes}
        faces: Faces = self._ask("advance", notes, rows, pcm, plan)
        return faces

    def move_whole(self, row: int, pcm: Float32, part: WholePart) -> StepOutput | None:
        raise AssertionError("a live model animates no wholes")

    def show(self, row: int, output: StepOutput, plan: FramePlan) -> Faces:
        raise AssertionError("a live model animates no wholes")

    def warm_up(self) -> None:
        for row_count, seconds in self._ask("warm_up").items():
            self._costs.record(row_count, seconds)

    def close(self) -> None:
        """A step under way fails; there is nothing to be saved."""
        self._process.end()

    def _ask(self, *request: object) -> Any:
        answer, told = self._questions.ask(request)
        for record in told:
            logging.getLogger(record.name).handle(record)
        if isinstance(answer, FacestreamError):
            raise answer
        return answer


class _FarEngine:
    """What is known here of the engine there."""

    name = "in a process of its own"

    def __init__(self, model: ModelFacts, max_rows: int, costs: CostTable) -> None:
        self.model = model
        self.max_rows = max_rows
        self._costs = costs

    def step(self, pcm: Float32, state: Mapping[str, Any]) -> StepOutput:
        raise AssertionError("steps are taken in the other process")

    def warm_up(self) -> Mapping[int, float]:
        raise AssertionError("warmed up in the other process")

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)
