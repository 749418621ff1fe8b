"""State that stays on the device: all of a stream's in one row of a table, and which rows a step copies.

A stream of `live` carries 87 kB from hop to hop; sent there and back, 2,000 streams would move 8.7 GB a second. So the
graph is changed to take and give the states of a stream as one vector, and the vectors of all streams are the rows of
one table on the device. A step copies the rows of its streams together, and apart again behind the network. Rows that
lie side by side, as those of streams that began together do, are one copy.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facestream.engines.base import TensorSpec
from facestream.engines.manifest import GraphSpec

STATE, NEXT_STATE = "state", "next_state"
"""The packed input and output, `[B, W]`."""


def state_width(states: Sequence[TensorSpec]) -> int:
    """Numbers of float32 that a stream carries."""
    return sum(prod(spec.shape) for spec in states)


def with_packed_state(model: onnx.ModelProto, states: Sequence[TensorSpec]) -> onnx.ModelProto:
    """A copy of `model` that takes `STATE` and gives `NEXT_STATE` in place of `states`, in their order."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    names = {spec.name for spec in states}
    following = [f"next_{spec.name}" for spec in states]
    width = state_width(states)
    apart, together, constants = [], [], []
    sizes = [prod(spec.shape) for spec in states]
    constants.append(numpy_helper.from_array(np.array(sizes, np.int64), f"{STATE}_sizes"))
    rows = [f"{spec.name}_row" for spec in states]
    apart.append(helper.make_node("Split", [STATE, f"{STATE}_sizes"], rows, axis=1))
    for spec, row, name in zip(states, rows, following, strict=True):
        shape = f"{spec.name}_shape"
        constants.append(numpy_helper.from_array(np.array([0, *spec.shape], np.int64), shape))
        apart.append(helper.make_node("Reshape", [row, shape], [spec.name]))
        together.append(helper.make_node("Flatten", [name], [f"{name}_row"], axis=1))
    together.append(helper.make_node("Concat", [f"{name}_row" for name in following], [NEXT_STATE], axis=1))
    inputs = [value for value in graph.input if value.name not in names]
    outputs = [value for value in graph.output if value.name not in following]
    nodes = [*apart, *graph.node, *together]
    del graph.input[:], graph.output[:], graph.node[:]
    graph.input.extend([*inputs, helper.make_tensor_value_info(STATE, TensorProto.FLOAT, ["B", width])])
    graph.output.extend([*outputs, helper.make_tensor_value_info(NEXT_STATE, TensorProto.FLOAT, ["B", width])])
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    return changed


def packed_spec(graph: GraphSpec, states: Sequence[TensorSpec]) -> GraphSpec:
    """What the manifest says of `graph`, with its state packed."""
    names = {spec.name for spec in states}
    row: list[int | str] = ["B", state_width(states)]
    return GraphSpec(
        file=graph.file,
        inputs={name: axes for name, axes in graph.inputs.items() if name not in names} | {STATE: row},
        outputs={name: axes for name, axes in graph.outputs.items() if name.removeprefix("next_") not in names}
        | {NEXT_STATE: row},
    )


class Copy(NamedTuple):
    """`rows` that lie side by side: from `slot` on in the table, from `place` on in the batch."""

    slot: int
    place: int
    rows: int


def copies_of(slots: Sequence[int]) -> list[Copy]:
    """The fewest copies that bring the rows at `slots` together in their order, or back."""
    copies: list[Copy] = []
    for place, slot in enumerate(slots):
        if copies and slot == copies[-1].slot + copies[-1].rows:
            copies[-1] = copies[-1]._replace(rows=copies[-1].rows + 1)
        else:
            copies.append(Copy(slot, place, 1))
    return copies


def grown(capacity: int, slots: Sequence[int]) -> int:
    """Rows that the table must have for `slots`: as many as it has, or the next power of two."""
    needed = max(slots, default=-1) + 1
    return capacity if needed <= capacity else 1 << (needed - 1).bit_length()
