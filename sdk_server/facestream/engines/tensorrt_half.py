"""Half precision where it pays: matrix products and convolutions in float16, everything else in float32.

TensorRT computes in the types that a graph says (networks are strongly typed), so the graph itself is changed: what
goes into a product is cast to float16, what comes out of it back. Between products all stays float32, with it every
normalisation, softmax, sum of a residual and recurrence. Products that lead to an operator of `products.EXACT` stay
float32 as well.

Converters that turn a whole graph to float16 and name exceptions work the other way round; with them every operator
that a new network brings is in half precision until somebody notices.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facestream.engines.products import EXACT, PRODUCTS, exact_products, replace_nodes

_LARGEST = float(np.finfo(np.float16).max)
_HALF, _RESULT = "_in_half", "_of_half"


def with_half_products(model: onnx.ModelProto, exact: frozenset[str] = EXACT) -> onnx.ModelProto:
    """A copy of the float32 `model` whose products are computed in float16; inputs and outputs stay as they are.

    Products that lead to an operator of `exact` keep float32.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    single = exact_products(graph.node, exact)
    halves = _Halves(graph)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type not in PRODUCTS or node.output[0] in single or not halves.can_hold(node.input):
            nodes.append(node)
            continue
        for place, name in enumerate(node.input):
            if name:
                half, casts = halves.of(name)
                nodes += casts
                node.input[place] = half
        result = node.output[0]
        node.output[0] = result + _RESULT
        nodes += [node, helper.make_node("Cast", [node.output[0]], [result], to=TensorProto.FLOAT)]
    replace_nodes(graph, nodes)
    return changed


def half_products(nodes: Iterable[onnx.NodeProto]) -> tuple[list[str], list[str]]:
    """Results of the products that are computed in float16, and of those that are not."""
    products = [node.output[0] for node in nodes if node.op_type in PRODUCTS]
    return [name for name in products if name.endswith(_RESULT)], [
        name for name in products if not name.endswith(_RESULT)
    ]


class _Halves:
    """The float16 form of values, each made once."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._sources: Mapping[str, str] = {
            node.output[0]: node.input[0]
            for node in graph.node
            if node.op_type == "Cast"
            and node.input[0] in self._weights
            and self._weights[node.input[0]].data_type == TensorProto.FLOAT16
        }
        self._made: dict[str, str] = {}

    def can_hold(self, names: Iterable[str]) -> bool:
        """Whether no weight among `names` is too large for float16."""
        return all(
            self._weights[name].data_type == TensorProto.FLOAT
            and np.abs(numpy_helper.to_array(self._weights[name])).max(initial=0.0) <= _LARGEST
            for name in names
            if name in self._weights
        )

    def of(self, name: str) -> tuple[str, list[onnx.NodeProto]]:
        """The value's float16 form, and what has to be computed for it first."""
        if name in self._sources:
            return self._sources[name], []
        if name in self._made:
            return self._made[name], []
        half = self._made[name] = name + _HALF
        if name in self._weights:
            values = numpy_helper.to_array(self._weights[name]).astype(np.float16)
            self._graph.initializer.append(numpy_helper.from_array(values, half))
            return half, []
        return half, [helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16)]
