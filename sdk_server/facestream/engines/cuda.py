"""The few calls of CUDA that an engine needs: a device, memory on it and beside it, a stream, recorded work.

Everything goes through `cuda.bindings`, NVIDIA's own bindings of the runtime API; they import without a driver.
"""

import ctypes
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from cuda.bindings import runtime as cudart

from facestream.errors import EngineError, EngineUnavailable

OLDEST_CUDA = 13_000
"""What the libraries are made for. Drivers from 580 on have it."""


@dataclass(frozen=True, slots=True)
class Device:
    """The first device of this machine."""

    name: str
    capability: tuple[int, int]
    memory_bytes: int
    cuda: int
    """What the driver supports: 13000 is CUDA 13.0."""

    @property
    def told(self) -> str:
        """One line for people."""
        capability, gigabytes = ".".join(str(part) for part in self.capability), self.memory_bytes / 2**30
        return f"{self.name}, compute capability {capability}, {gigabytes:.0f} GB, driver for CUDA {version(self.cuda)}"


def find_device() -> Device:
    """The first device. Raises `EngineUnavailable` naming what is missing: driver, a newer driver, device."""
    driver = int(_call(cudart.cudaDriverGetVersion))
    check_driver(driver)
    status, count = cudart.cudaGetDeviceCount()
    if status != cudart.cudaError_t.cudaSuccess or not count:
        raise EngineUnavailable(
            f"the NVIDIA driver shows no device ({_reason(status)}); check `nvidia-smi`, or use --engine onnx"
        )
    facts = _call(cudart.cudaGetDeviceProperties, 0)
    _, total = _call(cudart.cudaMemGetInfo)
    name = facts.name.decode() if isinstance(facts.name, bytes) else str(facts.name)
    return Device(name, (int(facts.major), int(facts.minor)), int(total), driver)


def check_driver(cuda: int) -> None:
    """`cuda` is what the driver supports, 0 without one. Raises `EngineUnavailable`."""
    if not cuda:
        raise EngineUnavailable("no NVIDIA driver is installed; install version 580 or newer, or use --engine onnx")
    if cuda < OLDEST_CUDA:
        raise EngineUnavailable(
            f"the NVIDIA driver supports CUDA {version(cuda)}, {version(OLDEST_CUDA)} is needed; "
            "install version 580 or newer, or use --engine onnx"
        )


def free_bytes() -> int:
    """Memory of the device that nobody uses now. Raises `EngineError`."""
    free, _ = _call(cudart.cudaMemGetInfo)
    return int(free)


def check_memory(needed: int, free: int, what: str) -> None:
    """Both in bytes. Raises `EngineUnavailable` where a device has too little memory left for `what`."""
    if needed > free:
        raise EngineUnavailable(
            f"{what} needs {needed >> 20} MB on the device, {free >> 20} MB are free; "
            "end what else uses it, or use --engine onnx"
        )


def version(number: int) -> str:
    """13010 is 13.1."""
    return f"{number // 1000}.{number % 1000 // 10}"


class DeviceMemory:
    """`size` bytes on the device, zeros at first. Raises `EngineError` where there are not so many."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.address = int(_call(cudart.cudaMalloc, max(size, 1)))
        weakref.finalize(self, cudart.cudaFree, self.address)
        _call(cudart.cudaMemset, self.address, 0, max(size, 1))
        _call(cudart.cudaDeviceSynchronize)  # the streams here do not wait for the one that clears


class Staging:
    """`size` bytes of page-locked memory, which the device reads and writes without a detour."""

    def __init__(self, size: int) -> None:
        self.size = size
        address = int(_call(cudart.cudaMallocHost, max(size, 1)))
        weakref.finalize(self, cudart.cudaFreeHost, address)
        self._bytes = np.ctypeslib.as_array((ctypes.c_uint8 * max(size, 1)).from_address(address))

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A view of the first bytes; keep the staging itself as long."""
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._bytes[:count].view(dtype).reshape(shape)


class Stream:
    """Work in order. Nothing is waited for but by `wait`."""

    def __init__(self) -> None:
        self._stream = _call(cudart.cudaStreamCreateWithFlags, cudart.cudaStreamNonBlocking)
        weakref.finalize(self, cudart.cudaStreamDestroy, self._stream)

    @property
    def handle(self) -> int:
        return int(self._stream)

    def bring(self, address: int, array: npt.NDArray[Any]) -> None:
        """From page-locked memory to the device."""
        self._copy(address, array.ctypes.data, array.nbytes, cudart.cudaMemcpyKind.cudaMemcpyHostToDevice)

    def fetch(self, array: npt.NDArray[Any], address: int) -> None:
        """From the device to page-locked memory."""
        self._copy(array.ctypes.data, address, array.nbytes, cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost)

    def move(self, to: int, source: int, size: int) -> None:
        """From one place of the device to another."""
        self._copy(to, source, size, cudart.cudaMemcpyKind.cudaMemcpyDeviceToDevice)

    def clear(self, address: int, size: int) -> None:
        """Zeros."""
        _call(cudart.cudaMemsetAsync, address, 0, size, self._stream)

    def record(self, work: Callable[[], None]) -> "RecordedWork":
        """What `work` puts on this stream, as a CUDA graph; nothing of it runs yet."""
        _call(
            cudart.cudaStreamBeginCapture, self._stream, cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        )
        try:
            work()
        except BaseException:
            cudart.cudaStreamEndCapture(self._stream)  # leave no half-recorded stream behind
            raise
        return RecordedWork(_call(cudart.cudaStreamEndCapture, self._stream))

    def replay(self, work: "RecordedWork") -> None:
        _call(cudart.cudaGraphLaunch, work.executable, self._stream)

    def wait(self) -> None:
        """Until everything so far is done."""
        _call(cudart.cudaStreamSynchronize, self._stream)

    def _copy(self, to: int, source: int, size: int, kind: Any) -> None:
        _call(cudart.cudaMemcpyAsync, to, source, size, kind, self._stream)


class RecordedWork:
    """A CUDA graph, ready to run."""

    def __init__(self, graph: Any) -> None:
        self.executable = _call(cudart.cudaGraphInstantiate, graph, 0)
        weakref.finalize(self, cudart.cudaGraphExecDestroy, self.executable)
        _call(cudart.cudaGraphDestroy, graph)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` gives beside its status, which must be success. Raises `EngineError`."""
    status, *values = function(*arguments)
    if status != cudart.cudaError_t.cudaSuccess:
        raise EngineError(f"CUDA: {function.__name__} failed ({_reason(status)})")
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def _reason(status: Any) -> str:
    found, text = cudart.cudaGetErrorString(status)
    return text.decode() if found == cudart.cudaError_t.cudaSuccess and text else str(status)
