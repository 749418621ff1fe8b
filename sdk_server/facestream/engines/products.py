"""The matrix products of a graph: which must stay exact when the others are computed with fewer bits."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

PRODUCTS = frozenset({"MatMul", "Gemm", "Conv", "ConvTranspose"})
EXACT = frozenset({"Log", "ArgMax"})
"""Operators that tell small differences of what they are given: products that lead to one are computed in full. Those
of a spectral front end lead to a logarithm, and a power spectrum reaches from 1e-10 to 1e4. Those that lead to the
choice of a code choose another one where two are nearly as likely, which is another motion (one code of 24 did in the
first graph tried, and moved a coefficient by .2; 2026-11-21).
"""

_HANDED_ON = frozenset({"Cast", "Identity"})


def exact_products(nodes: Sequence[onnx.NodeProto], exact: frozenset[str] = EXACT) -> set[str]:
    """Results of the products that lead to an operator of `exact`."""
    makers = {name: node for node in nodes for name in node.output}
    found: set[str] = set()
    waiting = [name for node in nodes if node.op_type in exact for name in node.input]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in makers:
            continue
        seen.add(name)
        node = makers[name]
        if node.op_type in PRODUCTS:
            found.add(name)
        waiting += node.input
    return found


class StoredWeights:
    """The constants of a graph, wherever they are read from: bundles keep float16 and cast it."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._sources = {node.output[0]: node.input[0] for node in graph.node if node.op_type in _HANDED_ON}

    def of(self, name: str) -> npt.NDArray[np.float32] | None:
        """Values of `name`; `None` where they are computed from what comes in."""
        while name in self._sources:
            name = self._sources[name]
        return numpy_helper.to_array(self._stored[name]).astype(np.float32) if name in self._stored else None


def replace_nodes(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Put `nodes` in place of those of `graph`, without what nobody reads any more."""
    read = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(list(nodes)):
        if read.isdisjoint(node.output):
            continue
        read.update(name for name in node.input)
        # a body reads values of the graph around it
        read.update(name for part in node.attribute for inner in part.g.node for name in inner.input)
        kept.append(node)
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(weights)
