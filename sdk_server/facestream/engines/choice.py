"""Which engine runs a model: the one that was asked for, or the fastest that works here.

TensorRT is imported behind this file only, and only when a device is there: a server on ONNX Runtime starts as fast and
as small as if nothing else existed.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

import onnxruntime

from facestream.engines.base import Engine
from facestream.engines.bundle import Bundle
from facestream.engines.graph import Graph, OnnxGraph
from facestream.engines.manifest import GraphSpec
from facestream.engines.onnx import OnnxEngine
from facestream.engines.onnx_hops import OnnxHopEngine
from facestream.engines.onnx_sessions import (
    OpenSession,
    check_cuda,
    has_cuda,
    open_in_8_bits,
    open_on_cpu,
    open_with_cuda,
)
from facestream.engines.tensorrt_library import INSTALL, is_installed
from facestream.errors import EngineUnavailable, InvalidValue, NotFound

log = logging.getLogger(__name__)

AUTO, ONNX, CUDA, TENSORRT = "auto", "onnx", "cuda", "tensorrt"
SINGLE, HALF, INT8 = "fp32", "fp16", "int8"
PRECISIONS = {AUTO: (SINGLE, HALF, INT8), ONNX: (SINGLE, INT8), CUDA: (SINGLE,), TENSORRT: (SINGLE, HALF)}
"""Engines, and what each of them can compute products in. With `auto`, 8 bits mean the CPU."""
ENGINES = tuple(PRECISIONS)
Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a user may say of engines. `cache` is a folder for built ones; by default the user's own.

    Raises `NotFound` for an unknown name, `InvalidValue` for a precision that the engine has not.
    """

    name: str = AUTO
    thread_count: int = 1
    precision: str = SINGLE
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise NotFound("engine", self.name, ENGINES)
        if self.precision not in PRECISIONS[self.name]:
            engines = ", ".join(f"{name}: {' or '.join(found)}" for name, found in PRECISIONS.items())
            raise InvalidValue("precision", f"{self.precision} with engine {self.name}", engines)


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
    """ONNX Runtime, with sessions opened one way for `live` and, perhaps, another for other families.

    Where `keeps_rings`, on a CPU, the state of streams need not be arrays of one step only (`engines.onnx_hops`).
    """

    def __init__(self, told: str, open_live: OpenSession, open_other: OpenSession, *, keeps_rings: bool) -> None:
        self.told = told
        self._open_live, self._open_other = open_live, open_other
        self._keeps_rings = keeps_rings

    def open_live(self, bundle: Bundle) -> Engine:
        hop_graph = bundle.live.hop_graph
        if self._keeps_rings and hop_graph is not None:
            return OnnxHopEngine(bundle, hop_graph, self._open_live)
        return OnnxEngine(bundle, self._open_live)

    def open_graph(self, bundle: Bundle, graph: GraphSpec) -> Graph:
        return OnnxGraph(bundle, graph, self._open_other)


def open_with(options: EngineOptions, work: Callable[[Backend], Opened]) -> Opened:
    """What `work` opens on the engine of `options`.

    With `auto`, an engine that can not work here, or not with this model, is one line in the log, and the next one gets
    its turn. Raises what `work` raises on the last one, and `EngineUnavailable` where the one asked for can not work.
    """
    attempts = list(_attempts(options))
    for (name, attempt), (following, _) in pairwise(attempts):
        try:
            return work(attempt())
        except EngineUnavailable as error:
            log.info("%s is installed and not used, %s takes its place: %s", name, following, error)
    return work(attempts[-1][1]())


def _attempts(options: EngineOptions) -> Iterator[tuple[str, Callable[[], Backend]]]:
    """Engines by the names that people know, the fastest first."""
    is_auto = options.name == AUTO and options.precision != INT8
    if options.name == TENSORRT or (is_auto and is_installed()):
        yield "TensorRT", partial(open_tensorrt, options)
    if options.name == CUDA or (is_auto and has_cuda()):
        yield "ONNX Runtime with CUDA", open_cuda
    if options.name in (AUTO, ONNX):
        yield "ONNX Runtime", partial(open_onnx, options)


def open_onnx(options: EngineOptions) -> Backend:
    """ONNX Runtime on the CPU, which always works.

    8 bits are for `live`: other families stay in fp32, since a change too small to see makes `deeptalk` choose other
    codes (weights .11 apart on average) and moves `diffposetalk` by more than the .05 allowed (2026-11-22).
    """
    told = f"ONNX Runtime {onnxruntime.__version__} on the CPU"
    on_cpu = partial(open_on_cpu, thread_count=options.thread_count)
    if options.precision != INT8:
        return OnnxBackend(told, on_cpu, on_cpu, keeps_rings=True)
    in_8_bits = partial(open_in_8_bits, thread_count=options.thread_count)
    return OnnxBackend(f"{told}, in 8 bits", in_8_bits, on_cpu, keeps_rings=True)


def open_cuda() -> Backend:
    """ONNX Runtime on the first GPU. Raises `EngineUnavailable` where it was built for CPUs only."""
    check_cuda()
    told = f"ONNX Runtime {onnxruntime.__version__} with CUDA"
    return OnnxBackend(told, open_with_cuda, open_with_cuda, keeps_rings=False)


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
