"""ONNX Runtime on the CPU: the engine that always works."""

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
from facestream.errors import BundleError, EngineError
from facestream.types import Float32

_NEXT = "next_"
_WARM_UP_RUNS = 5


_SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""The fused kernel is slower than its parts: a two-hop step of 50 rows takes 12.1 ms with it and 10.5 without
(onnxruntime 1.31.1, one core, 2026-11-21)."""


class OnnxEngine:
    """One session for all streams.

    Rows are not padded to a bucket: on a CPU time grows with the rows, so padding 33 to 64 would waste half of it. The
    buckets are the sizes whose cost is measured.
    """

    name = "onnx-cpu"
    max_rows = BUCKETS[-1]

    def __init__(self, bundle: Bundle, thread_count: int = 1) -> None:
        self.model: ModelFacts = bundle.model
        self._session = open_session(bundle.graph_path, thread_count)
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
            state = self.model.fresh_state(row_count)
            seconds = []
            for _ in range(_WARM_UP_RUNS):
                begin = time.perf_counter()
                state = dict(self.step(pcm, state).next_state)
                seconds.append(time.perf_counter() - begin)
            self._costs.record(row_count, statistics.median(seconds))
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)


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


def open_session(graph_path: Path, thread_count: int) -> onnxruntime.InferenceSession:
    """A session on the CPU that leaves the cores to others while it waits. Raises `BundleError`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # The cores are shared with the server's loop (and often with a game): waiting threads must sleep.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            graph_path, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW_FUSIONS
        )
    except Exception as error:  # as above
        raise BundleError(
            f"{graph_path}: found a graph that ONNX Runtime {onnxruntime.__version__} can not load ({error}); "
            "expected an ONNX model; export the bundle again or update onnxruntime"
        ) from error


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
