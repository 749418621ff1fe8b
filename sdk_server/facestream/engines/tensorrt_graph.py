"""A built engine at work: one context for each profile, memory on the device, and steps that become CUDA graphs.

    given ─> page-locked memory ─> device ─> network ─> device ─> page-locked memory ─> arrays of the caller

Everything is queued on one stream and waited for once. A shape that comes a third time is recorded, and from then on
replayed with a single call; until then, and where the network can not be recorded, it is queued as it is.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.engines.cuda import DeviceMemory, RecordedWork, Staging, Stream
from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_library import TensorRtLibrary
from facestream.engines.tensorrt_profiles import Profile, Shape, profile_that_holds
from facestream.errors import EngineError, EngineUnavailable
from facestream.types import Float32

MOST_RECORDED = 64
"""Shapes that are recorded; those that come later are queued."""
_RUNS_BEFORE_RECORDING = 2
"""The first runs of a shape allocate and compile, which can not be recorded."""

Shapes = tuple[tuple[str, Shape], ...]
OnStream = Callable[[Stream, Mapping[str, int]], None]
"""Queues something, given the addresses of all tensors."""


class TensorRtGraph:
    """Made from a serialised engine; raises `EngineUnavailable` where this device does not take it.

    Threads take turns: an engine's contexts share their memory.
    """

    def __init__(
        self,
        library: TensorRtLibrary,
        plan: bytes,
        graph: GraphSpec,
        profiles: Sequence[Profile],
        *,
        kernels: bytes | None = None,
        keep_kernels: Callable[[bytes], object] = lambda kernels: None,
    ) -> None:
        """`keep_kernels` is given what the RTX library has compiled for this device, for `kernels` of the next time."""
        self.spec = graph
        self._profiles = profiles
        self._logger = library.logger()
        self._runtime = library.module.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineUnavailable(
                f"{graph.file}: {library.name} can not load the engine on this device "
                f"({self._logger.last_error or 'it gives no reason'}); use --engine onnx"
            )
        self._types = {name: self._dtype(library, name) for name in (*graph.inputs, *graph.outputs)}
        self._kernel_cache, self._config = self._compilation(library, kernels)
        self._contexts: dict[int, Any] = {}
        self._kept_contexts = 0
        self._stream = Stream()
        self._device: dict[str, DeviceMemory] = {}
        self._staging: dict[str, Staging] = {}
        self._runs: dict[Shapes, int] = {}
        self._recorded: dict[Shapes, RecordedWork] = {}
        self._keep_kernels = keep_kernels
        self._kept_size = len(kernels or b"")
        self._turn = threading.Lock()

    def run(self, outputs: Sequence[str], given: Mapping[str, npt.NDArray[Any]]) -> list[Float32]:
        """See `engines.graph.Graph`."""
        with self._turn:
            return self._run(outputs, given, {}, None, None)

    def run_beside(
        self,
        outputs: Sequence[str],
        given: Mapping[str, npt.NDArray[Any]],
        kept: Mapping[str, Shape],
        before: OnStream,
        after: OnStream,
    ) -> list[Float32]:
        """As `run`, with inputs `kept` (their shapes) that are on the device and outputs that stay there.

        `before` queues what fills these inputs, `after` what becomes of the outputs not asked for. Raises
        `EngineError`; where the network could not be queued, `after` has queued nothing.
        """
        with self._turn:
            return self._run(outputs, given, kept, before, after)

    def _run(
        self,
        outputs: Sequence[str],
        given: Mapping[str, npt.NDArray[Any]],
        kept: Mapping[str, Shape],
        before: OnStream | None,
        after: OnStream | None,
    ) -> list[Float32]:
        shapes: dict[str, Shape] = {name: tuple(array.shape) for name, array in given.items()} | dict(kept)
        context = self._context_for(shapes)
        addresses = {name: self._room(name, shape) for name, shape in shapes.items()}
        found = {name: tuple(context.get_tensor_shape(name)) for name in self.spec.outputs}
        addresses |= {name: self._room(name, shape) for name, shape in found.items()}
        for name, array in given.items():
            staged = self._staged(name, shapes[name])
            np.copyto(staged, array, casting="same_kind")
            self._stream.bring(addresses[name], staged)
        if before is not None:
            before(self._stream, addresses)
        self._compute(context, tuple(sorted(shapes.items())), addresses)
        if after is not None:
            after(self._stream, addresses)
        fetched = [self._staged(name, found[name]) for name in outputs]
        for name, staged in zip(outputs, fetched, strict=True):
            self._stream.fetch(staged, addresses[name])
        self._stream.wait()
        self._keep_compiled()
        return [staged.astype(np.float32) for staged in fetched]

    def _keep_compiled(self) -> None:
        """Behind the first step of each profile: what it had to compile need not be compiled again."""
        if self._kernel_cache is None or self._kept_contexts == len(self._contexts):
            return
        self._kept_contexts = len(self._contexts)
        kernels = bytes(self._kernel_cache.serialize())
        if len(kernels) != self._kept_size:
            self._kept_size = len(kernels)
            self._keep_kernels(kernels)

    def _compute(self, context: Any, shapes: Shapes, addresses: Mapping[str, int]) -> None:
        if shapes in self._recorded:
            self._stream.replay(self._recorded[shapes])
            return

        def queue() -> None:
            if not context.execute_async_v3(self._stream.handle):
                raise EngineError(f"{self.spec.file}: TensorRT failed ({self._logger.last_error or 'no reason given'})")

        for name, address in addresses.items():
            context.set_tensor_address(name, address)
        runs = self._runs[shapes] = self._runs.get(shapes, 0) + 1
        if runs > _RUNS_BEFORE_RECORDING and len(self._recorded) < MOST_RECORDED and self._can_record(context):
            self._recorded[shapes] = self._stream.record(queue)
            self._stream.replay(self._recorded[shapes])
        else:
            queue()

    def _can_record(self, context: Any) -> bool:
        asks = getattr(context, "is_stream_capturable", None)  # only the RTX library knows
        return True if asks is None else bool(asks(self._stream.handle))

    def _context_for(self, shapes: Mapping[str, Shape]) -> Any:
        number = profile_that_holds(self._profiles, shapes)
        if number is None:
            raise EngineError(f"{self.spec.file}: the engine was built for no such shapes: {dict(shapes)}")
        if number not in self._contexts:
            config = () if self._config is None else (self._config,)
            context = self._engine.create_execution_context(*config)
            if context is None or not context.set_optimization_profile_async(number, self._stream.handle):
                raise EngineError(
                    f"{self.spec.file}: TensorRT gives no context ({self._logger.last_error or 'no reason given'})"
                )
            self._stream.wait()
            self._contexts[number] = context
        context = self._contexts[number]
        for name, shape in shapes.items():
            context.set_input_shape(name, shape)
        return context

    def _room(self, name: str, shape: Shape) -> int:
        """Address of memory for the tensor; more of it makes what was recorded with the old address void."""
        size = int(np.prod(shape)) * self._types[name].itemsize
        known = self._device.get(name)
        if known is None or known.size < size:
            self._stream.wait()
            self._recorded.clear()
            self._device[name] = DeviceMemory(size)
        return self._device[name].address

    def _staged(self, name: str, shape: Shape) -> npt.NDArray[Any]:
        size = int(np.prod(shape)) * self._types[name].itemsize
        known = self._staging.get(name)
        if known is None or known.size < size:
            self._staging[name] = Staging(size)
        return self._staging[name].array(shape, self._types[name])

    def _dtype(self, library: TensorRtLibrary, name: str) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(library.module.nptype(self._engine.get_tensor_dtype(name)))
        return dtype

    def _compilation(self, library: TensorRtLibrary, kernels: bytes | None) -> tuple[Any, Any]:
        """The RTX library compiles on the device: at once, not when a stream waits, and what it has once, it keeps."""
        if not library.builds_anywhere:
            return None, None
        config = self._engine.create_runtime_config()
        cache = config.create_runtime_cache()
        if kernels:
            cache.deserialize(kernels)  # a cache of another driver or device is refused, and made anew
        config.set_runtime_cache(cache)
        config.dynamic_shapes_kernel_specialization_strategy = (
            library.module.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        return cache, config
