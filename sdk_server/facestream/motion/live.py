"""The `live` family: causal, a few motion rows a hop, every sample used once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facestream.acting import Acting
from facestream.engines.base import Engine, ModelFacts, StepOutput
from facestream.motion.base import Column, Rows
from facestream.types import Float32


@dataclass(frozen=True, slots=True)
class LiveStreamer:
    """Hop `k` takes samples `hop * k` to `hop * (k + 1)`; its last motion row describes `hop * (k + 1) - lookahead`."""

    hop_samples: int
    lookahead_samples: int
    motions_per_hop: int = 1
    ahead_samples: int = 0

    def hops_ready(self, sample_count: int) -> int:
        return sample_count // self.hop_samples

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples

    def first_sample_for(self, hop: int) -> int:
        return hop * self.hop_samples


class LiveMotion:
    """Hands on to the engine: its graph carries all state, and a recording is a fast live stream."""

    whole_clips = None

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.model: ModelFacts = engine.model
        self.max_rows = engine.max_rows
        self.live_streamer = LiveStreamer(
            self.model.hop_samples, self.model.lookahead_samples, self.model.motions_per_hop
        )
        self.columns: Mapping[str, Column] = {spec.name: (spec.shape, np.float32) for spec in self.model.states}

    def fresh_row(self, seed: int, first_sample: int) -> Mapping[str, Any]:
        return {}

    def acting_row(self, acting: Acting) -> Mapping[str, Any]:
        raise AssertionError("a live model has no abilities")

    def check_pace(self, acting: Acting, *, is_clip: bool) -> None:
        raise AssertionError("a live model has no abilities")

    def hop_s(self, acting: Acting) -> float:
        return 0.0

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        raise AssertionError("a live model has no abilities")

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        return self.engine.step(pcm, state)

    def warm_up(self) -> None:
        self.engine.warm_up()

    def cost_s(self, row_count: int) -> float:
        return self.engine.cost_s(row_count)
