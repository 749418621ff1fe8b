"""The graphs that a manifest tells of, found by what they take and give, and held to what it says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime

from facestream.engines.manifest import GraphSpec
from facestream.errors import BundleError


def graph_with(folder: Path, graphs: Sequence[GraphSpec], inputs: set[str], outputs: set[str]) -> GraphSpec:
    """The graph with these inputs, and at least these outputs. Raises `BundleError`."""
    for graph in graphs:
        if set(graph.inputs) == inputs and outputs <= set(graph.outputs):
            return graph
    raise BundleError(
        f"{folder}: found no graph with inputs {sorted(inputs)} and outputs {sorted(outputs)}; export the bundle again"
    )


STATE, NEXT = "state_", "next_"


def state_shapes(folder: Path, graph: GraphSpec) -> Mapping[str, tuple[int, ...]]:
    """Shapes of what `graph` carries from call to call, by name and without the row axis.

    Raises `BundleError` where a state does not come out as it goes in.
    """
    states = {name: axes for name, axes in graph.inputs.items() if name.startswith(STATE)}
    for name, axes in states.items():
        if graph.outputs.get(NEXT + name) != axes or not all(isinstance(axis, int) for axis in axes[1:]):
            raise BundleError(
                f"{folder / graph.file}: found {name!r} {axes} and {NEXT + name!r} {graph.outputs.get(NEXT + name)}; "
                "expected both alike, in numbers; export the bundle again"
            )
    return {name: tuple(int(axis) for axis in axes[1:]) for name, axes in states.items()}


def check_session(session: onnxruntime.InferenceSession, folder: Path, graph: GraphSpec) -> None:
    """The file must have the tensors, and the sizes where they are numbers, that the manifest promises.

    Raises `BundleError`.
    """
    found = {tensor.name: list(tensor.shape) for tensor in session.get_inputs()}
    names = [tensor.name for tensor in session.get_outputs()]
    sizes_differ = any(
        len(shape) != len(graph.inputs[name])
        or any(isinstance(told, int) and axis != told for axis, told in zip(shape, graph.inputs[name], strict=True))
        for name, shape in found.items()
        if name in graph.inputs
    )
    if set(found) != set(graph.inputs) or set(names) != set(graph.outputs) or sizes_differ:
        raise BundleError(
            f"{folder / graph.file}: found inputs {found} and outputs {names}; expected {graph.inputs} and "
            f"{sorted(graph.outputs)} (manifest.json); export the bundle again"
        )
