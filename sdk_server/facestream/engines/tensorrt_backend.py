"""From a bundle to engines on the device of this machine: taken from the cache, or built and kept there."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from facestream.engines.base import Engine, TensorSpec
from facestream.engines.bundle import MANIFEST, Bundle
from facestream.engines.cuda import check_memory, find_device, free_bytes
from facestream.engines.graph import Graph
from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt import TensorRtEngine
from facestream.engines.tensorrt_build import Progress, Target, build, prepared
from facestream.engines.tensorrt_cache import CacheKey, EngineCache, default_folder
from facestream.engines.tensorrt_graph import TensorRtGraph
from facestream.engines.tensorrt_library import installed_libraries, library_for
from facestream.engines.tensorrt_profiles import Profile, graphs_of, profiles_of
from facestream.engines.tensorrt_state import packed_spec
from facestream.errors import BundleError, EngineError, EngineUnavailable

log = logging.getLogger(__name__)

_ROOM = 256 << 20
"""What inputs, outputs and the states of streams may take on the device, beside an engine and its contexts."""


class TensorRtBackend:
    """Raises `EngineUnavailable` without a driver, a device, or a library for it."""

    def __init__(self, precision: str, cache: Path | None) -> None:
        self.device = find_device()
        self.library = library_for(self.device.capability, installed_libraries())
        self.told = f"{self.library.name} on {self.device.told}"
        self._target = Target(self.device.capability, precision)
        self._cache = EngineCache(cache or default_folder())
        log.info("using %s", self.told, extra={"precision": precision})

    def open_live(self, bundle: Bundle) -> Engine:
        """See `Backend`."""
        states = bundle.model.states
        (graph,) = graphs_of(bundle.live)
        return TensorRtEngine(
            self.library.flavour, bundle.model, self._open(bundle, packed_spec(graph, states), states)
        )

    def open_graph(self, bundle: Bundle, graph: GraphSpec) -> Graph:
        """See `Backend`."""
        return self._open(bundle, graph)

    def _open(self, bundle: Bundle, graph: GraphSpec, states: Sequence[TensorSpec] = ()) -> TensorRtGraph:
        profiles = profiles_of(bundle.manifest, graph)
        try:
            stored = self._cache.load(self._key("engine", bundle, graph, profiles))
            if stored is not None:
                try:
                    return self._load(stored, bundle, graph, profiles)
                except EngineUnavailable as error:
                    log.info("the engine in the cache does not fit any more and is built again: %s", error)
            return self._load(self._build(bundle, graph, states, profiles), bundle, graph, profiles)
        except (EngineError, BundleError) as error:
            # the bundle is sound where ONNX Runtime takes it: this engine can not run it, another may
            raise EngineUnavailable(str(error)) from error

    def _load(self, plan: bytes, bundle: Bundle, graph: GraphSpec, profiles: Sequence[Profile]) -> TensorRtGraph:
        check_memory(len(plan) + _ROOM, free_bytes(), f"{bundle.manifest.name}/{graph.file}")
        key = self._key("kernels", bundle, graph, profiles)
        return TensorRtGraph(
            self.library,
            plan,
            graph,
            profiles,
            kernels=self._cache.load(key),
            keep_kernels=lambda kernels: self._cache.store(key, kernels),
        )

    def _build(
        self, bundle: Bundle, graph: GraphSpec, states: Sequence[TensorSpec], profiles: Sequence[Profile]
    ) -> bytes:
        name = f"{bundle.manifest.name}/{graph.file}"
        log.info("building a TensorRT engine", extra={"graph": name, "library": self.library.name})
        timing_key = self._key("timing", bundle, graph, profiles)
        model = prepared((bundle.folder / graph.file).read_bytes(), name, self._target.precision, states)
        plan, timings = build(
            self.library,
            model,
            graph,
            profiles,
            self._target,
            timings=self._cache.load(timing_key) or b"",
            progress=_told(name),
        )
        self._cache.store(self._key("engine", bundle, graph, profiles), plan)
        if timings:
            self._cache.store(timing_key, timings)
        return plan

    def _key(self, kind: str, bundle: Bundle, graph: GraphSpec, profiles: Sequence[Profile]) -> CacheKey:
        major, minor = self.device.capability
        return CacheKey(
            kind,
            bundle=hashlib.sha256((bundle.folder / MANIFEST).read_bytes()).hexdigest(),
            graph=graph.file,
            library=self.library.name,
            device=f"{self.device.name} SM{major}{minor}",
            precision=self._target.precision,
            shapes=hashlib.sha256(repr([sorted(profile.items()) for profile in profiles]).encode()).hexdigest(),
        )


def _told(name: str) -> Progress:
    """Says in the log how far a build is, at every fifth of it."""
    said = 0

    def tell(share: float) -> None:
        nonlocal said
        if int(share * 5) > said:
            said = int(share * 5)
            log.info("building a TensorRT engine", extra={"graph": name, "percent": 20 * said})

    return tell
