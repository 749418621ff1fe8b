"""One graph of a bundle, wherever it runs: arrays in by name, arrays out in the order asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy.typing as npt

from facestream.engines.bundle import Bundle
from facestream.engines.graph_specs import check_session
from facestream.engines.manifest import GraphSpec
from facestream.engines.onnx import run_session
from facestream.engines.onnx_sessions import OpenSession, open_on_cpu
from facestream.types import Float32


class Graph(Protocol):
    """Several threads may run it at once."""

    def run(self, outputs: Sequence[str], given: Mapping[str, npt.NDArray[Any]]) -> list[Float32]:
        """Arrays `[B, ...]` of `outputs`; the caller owns them. Raises `EngineError`."""
        ...


OpenGraph = Callable[[Bundle, GraphSpec], Graph]
"""Opens one graph of a bundle. Raises `BundleError`, or `EngineUnavailable` where this engine can not run it."""


class OnnxGraph:
    """A graph on ONNX Runtime. Raises `BundleError` for a file that is not what the manifest says."""

    def __init__(self, bundle: Bundle, graph: GraphSpec, open_session: OpenSession = open_on_cpu) -> None:
        self._session = open_session(bundle.folder / graph.file)
        check_session(self._session, bundle.folder, graph)

    def run(self, outputs: Sequence[str], given: Mapping[str, npt.NDArray[Any]]) -> list[Float32]:
        return run_session(self._session, list(outputs), given)
