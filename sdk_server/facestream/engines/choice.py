"""Which engine runs a model: the one that was asked for, or the fastest that works here.

TensorRT is imported behind this file only, and only when a device is there: a server on ONNX Runtime starts as fast and
as small as if nothing else existed.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import onnxruntime

from facestream.engines.base import Engine
from facestream.engines.bundle import Bundle
from facestream.engines.graph import Graph, OnnxGraph
from facestream.engines.manifest import GraphSpec
from facestream.engines.onnx import OnnxEngine
from facestream.engines.tensorrt_library import INSTALL, is_installed
from facestream.errors import EngineUnavailable, NotFound

log = logging.getLogger(__name__)

AUTO, ONNX, TENSORRT = "auto", "onnx", "tensorrt"
ENGINES = (AUTO, ONNX, TENSORRT)
PRECISIONS = ("fp32", "fp16")
Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a user may say of engines. `cache` is a folder for built ones; by default the user's own.

    Raises `NotFound` for an unknown name or precision.
    """

    name: str = AUTO
    thread_count: int = 1
    precision: str = "fp32"
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise NotFound("engine", self.name, ENGINES)
        if self.precision not in PRECISIONS:
            raise NotFound("precision", self.precision, PRECISIONS)


class Backend(Protocol):
    """One engine, ready for bundles."""

    @property
    def told(self) -> str:
        """One line for people: library, version, device."""
        ...

    def open_live(self, bundle: Bundle) -> Engine:
        """An engine for a `live` bundle. Raises `BundleError` or `EngineUnavailable`."""
        ...

    def open_graph(self, bundle: Bundle, graph: GraphSpec) -> Graph:
        """One graph of a bundle of another family. Raises `BundleError` or `EngineUnavailable`."""
        ...


class OnnxBackend:
    """ONNX Runtime on the CPU, which always works."""

    told = f"ONNX Runtime {onnxruntime.__version__} on the CPU"

    def __init__(self, options: EngineOptions) -> None:
        self._threads = options.thread_count

    def open_live(self, bundle: Bundle) -> Engine:
        return OnnxEngine(bundle, self._threads)

    def open_graph(self, bundle: Bundle, graph: GraphSpec) -> Graph:
        return OnnxGraph(bundle, graph, self._threads)


def open_with(options: EngineOptions, work: Callable[[Backend], Opened]) -> Opened:
    """What `work` opens on the engine of `options`.

    With `auto`, an engine that can not work here, or not with this model, is one line in the log, and the next one gets
    its turn. Raises what `work` raises on the last one, and `EngineUnavailable` where the one asked for can not work.
    """
    *others, last = _attempts(options)
    for attempt in others:
        try:
            return work(attempt())
        except EngineUnavailable as error:
            log.info("TensorRT is installed and not used, ONNX Runtime takes its place: %s", error)
    return work(last())


def _attempts(options: EngineOptions) -> Iterator[Callable[[], Backend]]:
    if options.name == TENSORRT or (options.name == AUTO and is_installed()):
        yield lambda: open_tensorrt(options)
    if options.name != TENSORRT:
        yield lambda: OnnxBackend(options)


def open_tensorrt(options: EngineOptions) -> Backend:
    """TensorRT on the first device. Raises `EngineUnavailable` naming what is missing and how to come by it."""
    if not is_installed():
        raise EngineUnavailable(f"engine 'tensorrt' needs an extra: {INSTALL}; or use --engine onnx")
    try:
        from facestream.engines.tensorrt_backend import TensorRtBackend
    except ImportError as error:
        raise EngineUnavailable(
            f"engine 'tensorrt' needs the package {error.name!r}: {INSTALL}; or use --engine onnx"
        ) from error
    return TensorRtBackend(options.precision, options.cache)
