"""An engine of chosen speed and chosen faults, whose jaw follows the loudness: for tests and for load.

It keeps the whole contract of an engine: causal, its state in the rows, deterministic, the same in any batch.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from facestream.engines.base import BUCKETS, SILENCE, BatchState, CostTable, ModelFacts, StepOutput, TensorSpec
from facestream.errors import EngineError
from facestream.types import EXPRESSION_COUNT, Float32

FULL_OPEN_RAD = 0.3
LOUDNESS_GAIN = 4.0
"""Speech at an RMS of 0.1 opens the jaw by a third."""
DECAY = 0.6
"""Share of the level that is left one motion row later."""
_SILENT_LEVEL = 0.02

_MODEL = ModelFacts(
    name="synthetic",
    family="synthetic",
    version="1",
    licence="Apache-2.0",
    head_digest="",
    hop_samples=320,
    motions_per_hop=1,
    lookahead_samples=0,
    extras=("tongueOut",),
    phone_classes=(SILENCE, "speech"),
    states=(TensorSpec("state_level", (1,)),),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and when.

    `failing_steps` counts calls of `step` from 0: those raise. A row whose audio holds a sample at or above
    `poison_level` gives values that are not finite, whoever its batch mates are.
    """

    failing_steps: Collection[int] = ()
    poison_level: float = np.inf


class SyntheticEngine:
    """Each step takes `step_s` plus `row_s` for each row; `lookahead_samples` only delays what the motion means.

    Motion rows are always 20 ms apart; a hop takes `motions_per_hop` times as long.
    """

    name = "synthetic"

    def __init__(
        self,
        *,
        lookahead_samples: int = 0,
        motions_per_hop: int = 1,
        step_s: float = 0.0,
        row_s: float = 0.0,
        faults: Faults | None = None,
        max_rows: int = BUCKETS[-1],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = replace(
            _MODEL,
            hop_samples=_MODEL.hop_samples * motions_per_hop,
            motions_per_hop=motions_per_hop,
            lookahead_samples=lookahead_samples,
        )
        self.max_rows = max_rows
        self.step_count = 0
        self._step_s = step_s
        self._row_s = row_s
        self._faults = faults or Faults()
        self._sleep = sleep
        self._costs = CostTable()

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        number = self.step_count
        self.step_count += 1
        seconds = self._seconds(len(pcm))
        if seconds > 0.0:
            self._sleep(seconds)
        if number in self._faults.failing_steps:
            raise EngineError(f"synthetic failure at step {number}")
        pieces = pcm.reshape(len(pcm), -1, _MODEL.hop_samples)
        loudness = np.minimum(np.sqrt(np.mean(pieces * pieces, axis=2)) * np.float32(LOUDNESS_GAIN), np.float32(1.0))
        motion = np.zeros((*loudness.shape, self.model.motion_size), np.float32)
        phone = np.zeros((*loudness.shape, 2), np.float32)
        level = state["state_level"][:, 0]
        for row in range(loudness.shape[1]):
            level = np.maximum(loudness[:, row], np.float32(DECAY) * level)
            motion[:, row, EXPRESSION_COUNT] = np.float32(FULL_OPEN_RAD) * level
            phone[:, row, 0] = level < _SILENT_LEVEL
        phone[:, :, 1] = 1.0 - phone[:, :, 0]
        poisoned = np.abs(pieces).max(axis=(1, 2)) >= self._faults.poison_level
        motion[poisoned] = np.nan
        return StepOutput(motion, phone, {"state_level": level[:, None].copy()})

    def warm_up(self) -> Mapping[int, float]:
        for row_count in BUCKETS:
            self._costs.record(row_count, self._seconds(row_count))
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    def _seconds(self, row_count: int) -> float:
        return self._step_s + self._row_s * row_count
