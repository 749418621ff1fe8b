"""From a graph file to a TensorRT network, held to what the manifest promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_library import TensorRtLibrary
from facestream.errors import BundleError

ELEMENT_BYTES = {"FLOAT": 4, "HALF": 2, "INT64": 8, "INT32": 4, "BOOL": 1}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: its axes, -1 where a profile chooses, and the name of its element type."""

    name: str
    axes: tuple[int, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Network:
    """A parsed graph. `builder` and `parser` own what `definition` is made of, so they stay together."""

    definition: Any
    builder: Any
    parser: Any
    logger: Any
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @property
    def has_loops(self) -> bool:
        """Whether the device decides how much is computed: such a network can not become a CUDA graph."""
        kinds = {str(self.definition.get_layer(at).type) for at in range(self.definition.num_layers)}
        return any("LOOP" in kind or "TRIP_LIMIT" in kind for kind in kinds)


def parse(library: TensorRtLibrary, model: bytes, file: str) -> Network:
    """The network of an ONNX `model` that came from `file`; every type is the one written in the graph.

    Raises `BundleError` naming the operator that TensorRT refuses.
    """
    trt, logger = library.module, library.logger()
    builder = trt.Builder(logger)
    flags = trt.NetworkDefinitionCreationFlag.__members__
    # From version 11 on every network is strongly typed, and one day the flag will be gone.
    definition = builder.create_network(1 << int(flags["STRONGLY_TYPED"]) if "STRONGLY_TYPED" in flags else 0)
    parser = trt.OnnxParser(definition, logger)
    if not parser.parse(model):
        raise BundleError(f"{file}: {_refusal(library, parser)}; use --engine onnx, or export the graph without it")
    inputs = [definition.get_input(at) for at in range(definition.num_inputs)]
    outputs = [definition.get_output(at) for at in range(definition.num_outputs)]
    return Network(definition, builder, parser, logger, _described(inputs), _described(outputs))


def check_network(network: Network, graph: GraphSpec, file: str) -> None:
    """Names, fixed sizes and element types must be those that the manifest and the runtime count on.

    Raises `BundleError` naming the first tensor that differs.
    """
    for kind, found, told in (("input", network.inputs, graph.inputs), ("output", network.outputs, graph.outputs)):
        if set(found) != set(told):
            raise BundleError(
                f"{file}: found {kind}s {sorted(found)}; expected {sorted(told)} (manifest.json); "
                "export the bundle again"
            )
        for name, tensor in found.items():
            expected = told[name]
            fits = len(tensor.axes) == len(expected) and all(
                size == axis if isinstance(axis, int) else size == -1
                for size, axis in zip(tensor.axes, expected, strict=True)
            )
            if not fits:
                raise BundleError(
                    f"{file}: TensorRT sees {kind} {name!r} as {list(tensor.axes)}; expected {expected} "
                    "(manifest.json); export the bundle again"
                )
            if tensor.kind not in ("FLOAT", "INT64"):
                raise BundleError(
                    f"{file}: TensorRT sees {kind} {name!r} as {tensor.kind}; expected FLOAT or INT64; "
                    "export the bundle again"
                )


def _described(tensors: list[Any]) -> dict[str, Tensor]:
    return {one.name: Tensor(one.name, tuple(one.shape), str(one.dtype).rsplit(".", 1)[-1]) for one in tensors}


def _refusal(library: TensorRtLibrary, parser: Any) -> str:
    if not parser.num_errors:
        return f"{library.name} found no ONNX graph"
    error = parser.get_error(0)
    reason = error.desc().strip().splitlines()[0]
    if not error.node_operator():
        return f"{library.name} can not read the graph ({reason})"
    return f"{library.name} refuses operator {error.node_operator()!r} of node {error.node_name()!r} ({reason})"
