"""The `live` network in torch as an engine, with the weights of its bundle: the yardstick for the graphs made of it."""

import time
from collections.abc import Mapping

import numpy as np
import torch

from facestream.engines.base import BUCKETS, BatchState, CostTable, StepOutput
from facestream.engines.bundle import Bundle
from facestream.types import Float32
from facestream_models.export.onnx import STATE_PREFIX
from facestream_models.export.stored_live import live_graph_of


class TorchEngine:
    """Runs the exported module itself, on one thread and in fp32."""

    name = "torch"
    max_rows = BUCKETS[-1]

    def __init__(self, bundle: Bundle) -> None:
        self.model = bundle.model
        self._graph = live_graph_of(bundle)
        self._costs = CostTable()
        torch.set_num_threads(1)

    @torch.no_grad()
    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        states = [torch.from_numpy(np.asarray(state[STATE_PREFIX + name])) for name in self._graph.state_names]
        motion, phone, *following = (one.numpy() for one in self._graph(torch.from_numpy(pcm), states))
        names = [STATE_PREFIX + name for name in self._graph.state_names]
        return StepOutput(motion, phone, dict(zip(names, following, strict=True)))

    def warm_up(self) -> Mapping[int, float]:
        for rows in BUCKETS:
            began = time.perf_counter()
            self.step(np.zeros((rows, self.model.hop_samples), np.float32), self.model.fresh_state(rows))
            self._costs.record(rows, time.perf_counter() - began)
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)
