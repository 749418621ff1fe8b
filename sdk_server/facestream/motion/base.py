"""What every model family tells the pipeline: which samples a step needs, which moment its motion describes, and how
motion comes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from facestream.acting import Acting
from facestream.engines.base import ModelFacts, StepOutput
from facestream.types import Float32

Column = tuple[tuple[int, ...], npt.DTypeLike]
"""Shape (without the row axis) and element type of one part of a stream's state."""

Rows = Mapping[str, npt.NDArray[Any]]
"""Those parts for a batch, `[B, ...]` each."""


class Streamer(Protocol):
    """Timing of one model family. Positions are 16 kHz samples from the start of the stream's audio."""

    @property
    def hop_samples(self) -> int:
        """Samples that one hop takes: the unit of all work."""
        ...

    @property
    def motions_per_hop(self) -> int:
        """Motion rows that one hop gives, evenly spaced."""
        ...

    @property
    def lookahead_samples(self) -> int:
        """How far the audio of a hop reaches past the moment that its last motion row describes."""
        ...

    @property
    def ahead_samples(self) -> int:
        """Audio beyond a hop that may have to be there before it can be computed."""
        ...

    def hops_ready(self, sample_count: int) -> int:
        """Hops that can be computed from that many samples, counted from the first, while more audio may come."""
        ...

    def samples_for(self, hop_count: int) -> int:
        """Samples that must be there for the first `hop_count` hops, at the end of the audio."""
        ...

    def first_sample_for(self, hop: int) -> int:
        """First sample that a step which begins with `hop` reads; below 0 it reads silence."""
        ...


class MotionSource(Protocol):
    """One model at work for many streams. `step` belongs to the threads of its animator, the rest to anyone."""

    @property
    def model(self) -> ModelFacts: ...

    @property
    def max_rows(self) -> int:
        """Most rows that one step takes."""
        ...

    @property
    def live_streamer(self) -> Streamer: ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """State that the model keeps for each stream."""
        ...

    def fresh_row(self, seed: int, first_sample: int) -> Mapping[str, Any]:
        """Columns of a new stream that are not zero; its audio begins at that 16 kHz sample of the client's count."""
        ...

    def acting_row(self, acting: Acting) -> Mapping[str, Any]:
        """Columns that change when a stream is acted otherwise. `acting` has been resolved by the model's abilities."""
        ...

    def check_pace(self, acting: Acting, *, is_clip: bool) -> None:
        """Raise `InvalidValue` for an acting that takes longer than others can wait. Knows nothing before `warm_up`."""
        ...

    def hop_s(self, acting: Acting) -> float:
        """Expected seconds that a live row acted so adds to a step, where rows differ in that; 0 where they do not."""
        ...

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        """Advance every row: `pcm` `[B, ...]` reaches from `first_sample_for` the hop to what the streamer waits for.

        Raises `EngineError` where the whole step failed; no state has changed then.
        """
        ...

    @property
    def whole_clips(self) -> "WholeClips | None":
        """How recordings are animated as a whole; `None` where they take the live way, many hops a step."""
        ...

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        """Mean and log-variance `[1, D]` of the emotion of `pcm` `[1, T]`, whole hops, for a model that acts.

        From any thread; raises `EngineError`.
        """
        ...

    def warm_up(self) -> object:
        """Run at every batch size, so that the first client waits no longer than the last."""
        ...

    def cost_s(self, row_count: int) -> float:
        """Expected seconds of a one-hop step for that many rows, from `warm_up`."""
        ...


@dataclass(frozen=True, slots=True)
class WholePart:
    """Hops `first` to `end` of a recording, to be made from the samples of hops `reads_from` to `reads_to`."""

    first: int
    end: int
    reads_from: int
    reads_to: int


class WholeClips(Protocol):
    """The way of recordings through a model that is better when it hears everything. Used by one thread."""

    @property
    def streamer(self) -> Streamer: ...

    def next_part(self, hops_done: int, stop: int | None, hop_count: int | None) -> WholePart:
        """What follows on `hops_done`, not beyond hop `stop`; `hop_count` are all hops of a recording that is over."""
        ...

    def step(self, pcm: Float32, state: Rows, part: WholePart) -> StepOutput:
        """Motion of `part` for one row: `pcm` `[1, T]` are the samples it reads. Raises `EngineError`."""
        ...
