"""From a bundle's graph to a serialised TensorRT engine for one device."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from facestream.engines.base import TensorSpec
from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_half import with_half_products
from facestream.engines.tensorrt_library import Capability, TensorRtLibrary
from facestream.engines.tensorrt_network import Network, check_network, parse
from facestream.engines.tensorrt_profiles import Profile
from facestream.engines.tensorrt_state import with_packed_state
from facestream.errors import BundleError, EngineUnavailable

log = logging.getLogger(__name__)

Progress = Callable[[float], None]
"""Called with the share that is done, 0..1, now and then, from threads of the library."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an engine is built for: a device's compute capability, and `fp32` or `fp16` products."""

    capability: Capability
    precision: str

    @property
    def name(self) -> str:
        return f"SM{self.capability[0]}{self.capability[1]}"


def prepared(model: bytes, file: str, precision: str, states: Sequence[TensorSpec] = ()) -> bytes:
    """The graph as TensorRT gets it: with the products of `precision`, and `states` packed in one vector."""
    try:
        graph = onnx.load_model_from_string(model)
    except Exception as error:  # protobuf's own errors share no public base
        raise BundleError(f"{file}: found no ONNX graph ({error}); copy the bundle again") from error
    if states:
        graph = with_packed_state(graph, states)
    if precision == "fp16":
        graph = with_half_products(graph)
    data: bytes = graph.SerializeToString()
    return data


def build(
    library: TensorRtLibrary,
    model: bytes,
    graph: GraphSpec,
    profiles: Sequence[Profile],
    target: Target,
    *,
    timings: bytes = b"",
    progress: Progress = lambda share: None,
) -> tuple[bytes, bytes]:
    """An engine from a `prepared` model, serialised, and what was learned of the times of kernels, if anything.

    `timings` is what an earlier build has learned. Raises `BundleError` for a graph that TensorRT refuses or that is
    not what the manifest says, and `EngineUnavailable` where the library can not build for the target.
    """
    network = parse(library, model, graph.file)
    check_network(network, graph, graph.file)
    config = network.builder.create_builder_config()
    _configure(library, network, config, profiles, target)
    if not library.builds_anywhere:  # the RTX library times nothing while it builds
        config.set_timing_cache(config.create_timing_cache(timings), ignore_mismatch=True)
    config.progress_monitor = _monitor(library, progress)
    started_s = time.monotonic()
    plan = network.builder.build_serialized_network(network.definition, config)
    if plan is None:
        said = network.logger.last_error or "it gives no reason"
        raise EngineUnavailable(
            f"{graph.file}: {library.name} could not build an engine for {target.name} in {target.precision} ({said}); "
            "use --engine onnx"
        )
    data = bytes(plan)
    log.info(
        "built a TensorRT engine",
        extra={"graph": graph.file, "took_s": round(time.monotonic() - started_s, 1), "megabytes": len(data) >> 20},
    )
    return data, b"" if library.builds_anywhere else bytes(config.get_timing_cache().serialize())


def _configure(
    library: TensorRtLibrary, network: Network, config: Any, profiles: Sequence[Profile], target: Target
) -> None:
    trt = library.module
    # float32 is float32: a row alone and the row among others agree to 1e-5 only without TensorFloat-32
    config.clear_flag(trt.BuilderFlag.TF32)
    flags = trt.BuilderFlag.__members__
    if "REQUIRE_USER_ALLOCATION" in flags and not network.has_loops:
        config.set_flag(flags["REQUIRE_USER_ALLOCATION"])  # what CUDA graphs ask of the RTX library
    if library.builds_anywhere:
        kinds = trt.ComputeCapability.__members__
        if target.name not in kinds:
            known = ", ".join(kind for kind in kinds if kind.startswith("SM"))
            raise EngineUnavailable(
                f"{library.name} builds for {known}, not for {target.name}; install facestream[tensorrt], "
                "or use --engine onnx"
            )
        config.num_compute_capabilities = 1
        config.set_compute_capability(kinds[target.name], 0)
    for shapes in profiles:
        profile = network.builder.create_optimization_profile()
        for tensor, (least, usual, most) in shapes.items():
            profile.set_shape(tensor, least, usual, most)
        config.add_optimization_profile(profile)


def _monitor(library: TensorRtLibrary, progress: Progress) -> Any:
    """Tells `progress` how far the outermost phase is."""

    class Monitor(library.module.IProgressMonitor):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self._outermost: str | None = None
            self._steps = 1

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None:
                self._outermost, self._steps = phase_name, max(num_steps, 1)

        def phase_finish(self, phase_name: str) -> None:
            if phase_name == self._outermost:
                progress(1.0)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name == self._outermost:
                progress((step + 1) / self._steps)
            return True

    return Monitor()
