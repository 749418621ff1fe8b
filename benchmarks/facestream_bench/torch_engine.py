"""The `live` network in torch as an engine, with the weights of its bundle: the yardstick for the graphs made of it."""

import time
from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from facestream.engines.base import BUCKETS, BatchState, CostTable, StepOutput
from facestream.engines.bundle import Bundle
from facestream.errors import BundleError
from facestream.types import Float32
from facestream_models.export.onnx import STATE_PREFIX, LiveGraph
from facestream_models.live.network import LiveNetwork, LiveShape
from facestream_models.training.config import from_values

_STORED_HALF = "_half"


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


def live_graph_of(bundle: Bundle) -> LiveGraph:
    """The module that a `live` bundle was exported from. Raises `BundleError` where the file does not tell it."""
    stored = {
        tensor.name.removesuffix(_STORED_HALF): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in onnx.load(bundle.graph_path).graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }
    if "to_motion" not in stored or "shape" not in bundle.manifest.training:
        raise BundleError(f"{bundle.graph_path}: found no names of a live network; export it with this release")
    network = LiveNetwork(from_values(bundle.manifest.training["shape"], LiveShape))
    weights = {name: _weight(f"network.{name}", value, stored, bundle) for name, value in network.state_dict().items()}
    network.load_state_dict(weights)
    return LiveGraph(network.eval(), stored["to_motion"].numpy()).eval()


def _weight(name: str, like: Tensor, stored: dict[str, Tensor], bundle: Bundle) -> Tensor:
    """By its name; a matrix that the exporter turned round has none, and is the only one of its shape."""
    if name in stored:
        return stored[name]
    turned = [value for key, value in stored.items() if "." not in key and value.shape == like.T.shape]
    if like.ndim != 2 or len(turned) != 1:
        raise BundleError(f"{bundle.graph_path}: found {len(turned)} tensors that may be {name!r}; expected one")
    return turned[0].T
