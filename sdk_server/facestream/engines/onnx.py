"""ONNX Runtime: the engine that always works on a CPU, and on a GPU where it was built for one."""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from facestream.engines.base import BUCKETS, BatchState, CostTable, ModelFacts, StepOutput
from facestream.engines.bundle import Bundle
from facestream.engines.onnx_sessions import CUDA_PROVIDER, OpenSession, open_on_cpu
from facestream.errors import BundleError, EngineError
from facestream.types import Float32

_NEXT = "next_"
_WARM_UP_RUNS = 5


class OnnxEngine:
    """One session for all streams.

    Rows are not padded to a bucket: on a CPU time grows with the rows, so padding 33 to 64 would waste half of it. The
    buckets are the sizes whose cost is measured.
    """

    max_rows = BUCKETS[-1]

    def __init__(self, bundle: Bundle, open_session: OpenSession = open_on_cpu) -> None:
        self.model: ModelFacts = bundle.model
        self._session = open_session(bundle.graph_path)
        self.name = "onnx-cuda" if self._session.get_providers()[0] == CUDA_PROVIDER else "onnx-cpu"
        _check_graph(self._session, bundle.graph_path, self.model)
        self._state_names = [spec.name for spec in self.model.states]
        self._output_names = ["motion", "phone", *(_NEXT + name for name in self._state_names)]
        self._costs = CostTable()

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        inputs = {"pcm": pcm} | {name: state[name] for name in self._state_names}
        motion, phone, *next_state = run_session(self._session, self._output_names, inputs)
        return StepOutput(motion, phone, dict(zip(self._state_names, next_state, strict=True)))

    def warm_up(self) -> Mapping[int, float]:
        for row_count in BUCKETS:
            pcm = np.zeros((row_count, self.model.hop_samples), np.float32)
            state = self._fresh_state(row_count)
            seconds = []
            for _ in range(_WARM_UP_RUNS):
                begin = time.perf_counter()
                state = self.step(pcm, state).next_state
                seconds.append(time.perf_counter() - begin)
            self._costs.record(row_count, statistics.median(seconds))
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    def _fresh_state(self, row_count: int) -> BatchState:
        return self.model.fresh_state(row_count)


def run_session(
    session: onnxruntime.InferenceSession, outputs: list[str], given: Mapping[str, npt.NDArray[Any]]
) -> list[Float32]:
    """One run: arrays [B, ...] by name to `outputs` in their order. Raises `EngineError`."""
    try:
        results: list[Float32] = session.run(outputs, given)
    except Exception as error:  # ONNX Runtime's own errors share no base class of theirs
        rows = len(next(iter(given.values())))
        raise EngineError(f"ONNX Runtime failed on a step of {rows} rows: {error}") from error
    return results


def _check_graph(session: onnxruntime.InferenceSession, graph_path: Path, model: ModelFacts) -> None:
    """The graph must have exactly the tensors that the manifest promises."""
    states = [spec.name for spec in model.states]
    expected_inputs = {"pcm", *states}
    found_inputs = {tensor.name: tensor.shape for tensor in session.get_inputs()}
    if set(found_inputs) != expected_inputs:
        raise BundleError(
            f"{graph_path}: found inputs {sorted(found_inputs)}; expected {sorted(expected_inputs)} "
            "(manifest.json); export the bundle again"
        )
    for spec in model.states:
        found = tuple(found_inputs[spec.name][1:])
        if found != spec.shape:
            raise BundleError(
                f"{graph_path}: found shape {found} of {spec.name!r}; expected {spec.shape} (manifest.json); "
                "export the bundle again"
            )
    outputs = {tensor.name: tensor.shape for tensor in session.get_outputs()}
    missing = {"motion", "phone", *(_NEXT + name for name in states)} - set(outputs)
    if missing:
        raise BundleError(
            f"{graph_path}: found outputs {sorted(outputs)}; expected also {sorted(missing)}; export the bundle again"
        )
    for name, size in (("motion", model.motion_size), ("phone", len(model.phone_classes))):
        if outputs[name][-1] != size:
            raise BundleError(
                f"{graph_path}: found {outputs[name][-1]} values a row of {name!r}; expected {size} "
                "(manifest.json); export the bundle again"
            )
