"""Every graph that ships, as TensorRT gets it."""

from typing import NamedTuple

from facestream.engines.base import TensorSpec
from facestream.engines.bundle import Bundle, list_bundles
from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_profiles import Profile, Span, graphs_of, profile_of
from facestream.engines.tensorrt_state import packed_spec


class Shipped(NamedTuple):
    """One graph of a shipped bundle as TensorRT gets it: the state of `live` in one vector."""

    bundle: Bundle
    spec: GraphSpec
    states: tuple[TensorSpec, ...]

    @property
    def model(self) -> bytes:
        return (self.bundle.folder / self.spec.file).read_bytes()


def shipped_graphs() -> list[Shipped]:
    found = []
    for folder in list_bundles().values():
        bundle = Bundle.open(folder)
        states = bundle.model.states
        for spec in graphs_of(bundle.manifest):
            found.append(Shipped(bundle, packed_spec(spec, states) if states else spec, states))
    return found


def shipped_ids() -> list[str]:
    return [f"{one.bundle.manifest.name}-{one.spec.file.removesuffix('.onnx')}" for one in shipped_graphs()]


def small_profile(spec: GraphSpec, rows: int = 2) -> Profile:
    """A few rows of a few codes, hops or frames."""
    sizes = {"B": rows, "S": 1, "H": 4, "K": 3, "F": 12, "G": 1, "L": 20, "M": 30}
    return profile_of(spec.inputs, {name: Span.only(size) for name, size in sizes.items()})
