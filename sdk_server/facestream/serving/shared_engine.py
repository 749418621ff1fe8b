"""An engine that several servers of a machine share, in a process of its own (`engine_host`): the side of a server.

What travels is little: the samples of a hop there, motion and phone classes back, some 3 kB a row. The state of streams
stays with the engine. Retargeting and polish are the server's own work, so that the one process which all of them wait
for has nothing to do but steps. Arrays go through sockets: memory that both processes map would save 1 % of a server's
time (`engine_process`, 2026-11-22), and has to be tidied up when one of them dies.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facestream.engines.base import ROW, BatchState, CostTable, ModelFacts, StepOutput, TensorSpec
from facestream.errors import EngineError
from facestream.motion.live import LiveMotion
from facestream.serving.animator import Animator, MotionSolver, Places
from facestream.serving.helper_process import Pipe
from facestream.serving.questions import Questions
from facestream.types import Float32

BEGUN = "state_begun"
"""0 where a stream begins, 1 from its first step on."""

_START_S = 60.0
"""For an engine that is being started, perhaps in place of one that died."""
_POLL_S = 0.05
_PATIENCE_S = 0.5
"""For a step that is under way when a server lets go of its engine; many times what any takes."""


class HostFacts(NamedTuple):
    """What a host answers to whoever comes: its engine, with seconds a step by bucket, and itself."""

    model: ModelFacts
    max_rows: int
    costs: Mapping[int, float]
    process_id: int


class AskedStep(NamedTuple):
    """Rows `[B]` by the numbers that the server gave them, which of them have begun, and their samples `[B, T]`."""

    rows: Places
    begun: Places
    pcm: Float32


class EngineHangs(NamedTuple):
    """A host does not answer any more: the number of its process."""

    process_id: int


@dataclass(frozen=True, slots=True)
class SharedEngines:
    """Where a server finds the engines that it shares: a socket for each model, by the name that the settings have."""

    sockets: Mapping[str, Path]
    on_hang: Callable[[EngineHangs], None]
    """Whoever has started them is to be told."""


class SharedEngine:
    """An `Engine` for one server, which may take two steps at once."""

    name = "shared"
    steps_at_once = 2

    def __init__(self, address: Path, on_hang: Callable[[EngineHangs], None]) -> None:
        """Connect, once the host is there. Raises `EngineError` where it does not come."""
        self._on_hang = on_hang
        server = secrets.token_hex(8)
        met = [_introduced(address, server) for _ in range(self.steps_at_once)]
        self._questions = Questions(pipe for pipe, _ in met)
        _, self._facts = met[-1]
        self.model = self._facts.model.with_states(TensorSpec(ROW, ()), TensorSpec(BEGUN, ()))
        self.max_rows = self._facts.max_rows
        self._costs = CostTable()

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        """See `Engine`. `state` holds the number of each stream's row, counted from 1, no two alike."""
        asked = AskedStep(state[ROW].astype(np.intp) - 1, state[BEGUN].astype(np.intp), pcm)
        answer: StepOutput | EngineError = self._questions.ask(asked)
        if isinstance(answer, EngineError):
            raise answer
        following: dict[str, Any] = {ROW: state[ROW], BEGUN: np.ones(len(pcm), np.float32)}
        return StepOutput(answer.motion, answer.phone, following, answer.seal)

    def warm_up(self) -> Mapping[int, float]:
        """The host is warm before anybody can connect; another run of it would disturb who is there."""
        for row_count, seconds in self._facts.costs.items():
            self._costs.record(row_count, seconds)
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    @property
    def is_lost(self) -> bool:
        """Whether the host is gone."""
        return self._questions.is_gone

    def close(self) -> None:
        """Let go of it, from any thread. Where a step does not end even now, the host hangs and its starter is told."""
        if not self._questions.close(_PATIENCE_S):
            self._on_hang(EngineHangs(self._facts.process_id))


class SharedAnimator(Animator):
    """Everything of a step but the engine's part is done here."""

    steps_at_once = SharedEngine.steps_at_once

    def __init__(self, engine: SharedEngine, retargeter: MotionSolver) -> None:
        super().__init__(LiveMotion(engine), retargeter)
        self._engine = engine

    @property
    def is_lost(self) -> bool:
        return self._engine.is_lost

    def close(self) -> None:
        self._engine.close()


def _introduced(address: Path, server: str) -> tuple[Pipe, HostFacts]:
    until_s = time.monotonic() + _START_S
    while True:
        try:
            pipe = Client(str(address), "AF_UNIX")
            pipe.send(server)
            return pipe, pipe.recv()
        except (EOFError, OSError) as error:
            if time.monotonic() > until_s:
                raise EngineError(f"no engine came within {_START_S:g} s at {address} ({error})") from None
            time.sleep(_POLL_S)
