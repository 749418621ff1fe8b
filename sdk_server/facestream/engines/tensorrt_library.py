"""Which TensorRT is installed: the one for RTX cards, the one for data-centre cards, or none.

NVIDIA ships two libraries with one Python API: `tensorrt-rtx` builds in seconds, on any machine, what is then compiled
on the card; `tensorrt` builds on the card itself, in minutes, and also knows the cards of data centres. Nothing here
needs a GPU or a driver.
"""

import importlib
import importlib.util
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from facestream.errors import EngineUnavailable

log = logging.getLogger(__name__)

Capability = tuple[int, int]
"""Compute capability of a device: (8, 6) is SM86."""

RTX, DATA_CENTRE = "tensorrt-rtx", "tensorrt"
_MODULES = {RTX: ("tensorrt_rtx_bindings", "tensorrt_rtx"), DATA_CENTRE: ("tensorrt",)}
"""Import names by flavour, in the order of preference: the RTX library ships its bindings as a module of their own."""

OLDEST: Capability = (7, 5)
"""Of the cards that TensorRT for data centres builds for."""
INSTALL = "pip install 'facestream[tensorrt-rtx]', or 'facestream[tensorrt]' for a data-centre card"


@dataclass(frozen=True, slots=True)
class TensorRtLibrary:
    """One installed library: its flavour, version and module."""

    flavour: str
    version: str
    module: Any

    @property
    def name(self) -> str:
        return f"{self.flavour} {self.version}"

    @property
    def builds_anywhere(self) -> bool:
        """Whether engines for a device can be built where there is none; they are compiled on the device then."""
        return self.flavour == RTX

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The compute capabilities that the library names; empty where it takes whatever device is there."""
        if not self.builds_anywhere:
            return ()
        names = [name for name in self.module.ComputeCapability.__members__ if name.startswith("SM")]
        return tuple(sorted((int(name[2:-1]), int(name[-1])) for name in names))

    def supports(self, capability: Capability) -> bool:
        """Whether engines for such a device can be built and run."""
        if self.capabilities:
            return capability in self.capabilities
        return capability >= OLDEST

    def logger(self) -> Any:
        """What the library says goes to our log: problems as debug lines, because whoever meets one says it himself."""

        class Quiet(self.module.ILogger):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.last_error = ""

            def log(self, severity: Any, message: str) -> None:
                if severity in (self.ERROR, self.INTERNAL_ERROR):
                    self.last_error = message
                if severity != self.VERBOSE:
                    log.debug("%s", message)

        return Quiet()


def is_installed() -> bool:
    """Whether some TensorRT is there. Looks, and imports nothing: the libraries take 0.2 GB."""
    return any(importlib.util.find_spec(name) is not None for names in _MODULES.values() for name in names)


def installed_libraries() -> tuple[TensorRtLibrary, ...]:
    """Every TensorRT that can be imported, the one for RTX cards first."""
    found = []
    for flavour, names in _MODULES.items():
        for name in names:
            try:
                module = importlib.import_module(name)
            except (ImportError, OSError):  # a wheel without its shared libraries raises the latter
                continue
            found.append(TensorRtLibrary(flavour, str(module.__version__), module))
            break
    return tuple(found)


def library_for(capability: Capability, libraries: Iterable[TensorRtLibrary]) -> TensorRtLibrary:
    """The first of `libraries` that supports a device. Raises `EngineUnavailable`."""
    libraries = tuple(libraries)
    if not libraries:
        raise EngineUnavailable(f"no TensorRT is installed; {INSTALL}")
    for library in libraries:
        if library.supports(capability):
            return library
    names = " and ".join(library.name for library in libraries)
    raise EngineUnavailable(
        f"the device has compute capability {capability[0]}.{capability[1]}, which {names} can not build for; "
        "install the other flavour (facestream[tensorrt-rtx] or facestream[tensorrt]), or use --engine onnx"
    )
