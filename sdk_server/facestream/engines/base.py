"""What every engine does: run one step of a model for a batch of rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facestream.acting import Abilities
from facestream.types import EXPRESSION_COUNT, HEAD_COUNT, JAW_COUNT, Float32

BUCKETS = (1, 2, 4, 8, 16, 32, 64)
"""Batch sizes whose cost an engine knows. On GPUs they are also the captured graphs and profiles."""

SILENCE = "sil"
"""Name of the phone class that every model has: nobody speaks."""

BILABIAL = "PP"
"""Name of the class of p, b and m; the lips shut on it. Models without it close their lips by their motion alone."""

ROW = "state_row"
"""A state of this name is filled in by who keeps the rows of streams: the number of the row, counted from 1. An engine
that keeps the state of streams itself finds it by that."""

BatchState = Mapping[str, npt.NDArray[Any]]
"""Model state of several streams: name -> array `[B, ...]`."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name and shape of one tensor, without the batch axis."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model is, and what one step takes and gives.

    `hop_samples * S` samples at 16 kHz go in; `M = motions_per_hop * S` rows of motion `[D]` (expression, jaw, extras)
    and of phone class probabilities come out. They are `hop_samples / motions_per_hop` apart, and the last one
    describes the moment `lookahead_samples` before the end of the hops. Live, a step waits for `ahead_samples` beyond
    them. `abilities` are those of a model that acts. With `moves_head` a row of motion ends with the rotation of the
    head, an axis-angle in radians (`motion/head_rotation.py` has the convention).
    """

    name: str
    family: str
    version: str
    licence: str
    head_digest: str
    hop_samples: int
    motions_per_hop: int
    lookahead_samples: int
    extras: tuple[str, ...]
    phone_classes: tuple[str, ...]
    states: tuple[TensorSpec, ...] = ()
    ahead_samples: int = 0
    abilities: Abilities | None = None
    moves_head: bool = False

    @property
    def face_size(self) -> int:
        """Columns of motion that a face is made of."""
        return EXPRESSION_COUNT + JAW_COUNT + len(self.extras)

    @property
    def motion_size(self) -> int:
        """All columns of motion."""
        return self.face_size + HEAD_COUNT * self.moves_head

    @property
    def has_emotions(self) -> bool:
        """Whether it can hear and act emotions."""
        return self.abilities is not None and self.abilities.emotion_width > 0

    def with_states(self, *states: TensorSpec) -> "ModelFacts":
        """The same of an engine that takes other states than the graph does."""
        return replace(self, states=states)

    def fresh_state(self, row_count: int) -> dict[str, Float32]:
        """State of streams that have heard nothing yet: zeros."""
        return {spec.name: np.zeros((row_count, *spec.shape), np.float32) for spec in self.states}


@dataclass(frozen=True, slots=True)
class StepOutput:
    """Result of one step, one row per row of the input; the caller owns the arrays.

    `motion` is `[B, M, D]`, `phone` class probabilities `[B, M, P]`, `next_state` holds one array `[B, ...]` per state
    tensor. `seal` `[B, M]` is how far the lips are to be shut, 0..1, whatever the motion does; a model that gives none
    is sealed by the probability of its class `BILABIAL`. A row that could not be computed holds values that are not
    finite; its neighbours are not affected.
    """

    motion: Float32
    phone: Float32
    next_state: BatchState
    seal: Float32 | None = None

    def between(self, begin: int, end: int) -> "StepOutput":
        """Motion rows `begin` to `end`, without the state."""
        seal = None if self.seal is None else self.seal[:, begin:end]
        return StepOutput(self.motion[:, begin:end], self.phone[:, begin:end], {}, seal)

    def failed_rows(self) -> list[int]:
        """Rows with a value that is not finite in motion, phone classes or seal."""
        finite = np.isfinite(self.motion).all(axis=(1, 2)) & np.isfinite(self.phone).all(axis=(1, 2))
        if self.seal is not None:
            finite &= np.isfinite(self.seal).all(axis=1)
        return [int(row) for row in np.flatnonzero(~finite)]


class Engine(Protocol):
    """Runs the graph of one bundle. Several threads may be in `step`, with rows of their own."""

    @property
    def name(self) -> str:
        """Short name for people: `onnx-cpu`, `synthetic`."""
        ...

    @property
    def model(self) -> ModelFacts: ...

    @property
    def max_rows(self) -> int:
        """Most rows one step takes."""
        ...

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        """Advance every row by `S` hops: `pcm` is `[B, hop_samples * S]` at 16 kHz.

        Raises `EngineError` where the whole step failed; no state has changed then.
        """
        ...

    def warm_up(self) -> Mapping[int, float]:
        """Run each bucket until its time is steady; gives seconds per one-hop step by bucket."""
        ...

    def cost_s(self, row_count: int) -> float:
        """Expected seconds of a one-hop step for that many rows, from `warm_up`; 0.0 before it."""
        ...


class CostTable:
    """Seconds per one-hop step for each measured batch size, straight lines between them."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def record(self, row_count: int, seconds: float) -> None:
        self._seconds[row_count] = seconds

    def as_mapping(self) -> dict[int, float]:
        return dict(sorted(self._seconds.items()))

    def cost_s(self, row_count: int) -> float:
        if not self._seconds:
            return 0.0
        sizes, seconds = zip(*sorted(self._seconds.items()), strict=True)
        if row_count > sizes[-1]:
            return float(seconds[-1] * row_count / sizes[-1])
        return float(np.interp(row_count, sizes, seconds))
