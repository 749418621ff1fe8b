"""Matrix products by weights in 8 bits, for processors that are quicker at them.

    x W  ~  scale_x (round(x / scale_x) V) scale_w,      W = V scale_w

A weight has one scale a column, chosen beforehand; what is multiplied has one scale a row, found as it comes (dynamic
quantisation), so no row's result depends on the rows beside it. ONNX Runtime's own tool has one scale for a whole
batch, which moved weights of a face by up to .38 in batches of 8. Products that lead to an operator of
`products.EXACT`, and small ones, which cost nothing, stay float32: with the front end in 8 bits faces were wrong by up
to .39, as it is by .014 (10 s of speech through `live`, 2026-11-22).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from facestream.engines.products import StoredWeights, exact_products, replace_nodes
from facestream.types import Float32

SMALLEST = 16_384
"""Weights of a product that is worth it: below, scaling costs more than it saves."""

_MIDDLE, _STEPS = 128, 127
"""Of what is multiplied: bytes around 128."""
_WEIGHT_STEPS = 63
"""Of weights, one bit less: a processor with AVX2 alone adds two products of bytes in 16 bits, where more saturates (a
random product was off by 60 times its bound with 127)."""
_OPSET = 18
"""The first one in which a maximum takes its axes as an input."""

Add = Callable[[str, npt.NDArray[np.generic]], str]


def with_int8_products(model: onnx.ModelProto, smallest: int = SMALLEST) -> onnx.ModelProto:
    """A copy of the float32 `model` whose large products by weights are computed in 8 bits.

    Raises `ValueError` for a graph of an older standard than that of the bundles.
    """
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if opset < _OPSET:
        raise ValueError(f"operators of version {opset}; expected {_OPSET} or newer")
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    stored, exact = StoredWeights(graph), exact_products(graph.node)
    added: set[str] = set()

    def add(name: str, values: npt.NDArray[np.generic]) -> str:
        if name not in added:
            graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
            added.add(name)
        return name

    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        weights = None if node.output[0] in exact else _weights_of(node, stored)
        if weights is None or weights.size < smallest:
            nodes.append(node)
        else:
            nodes += _in_8_bits(node, weights, add)
    replace_nodes(graph, nodes)
    return changed


def _weights_of(node: onnx.NodeProto, stored: StoredWeights) -> Float32 | None:
    """The matrix `[in, out]` that `node` multiplies by; `None` where it does something else."""
    if node.op_type not in ("MatMul", "Gemm"):
        return None
    weights = stored.of(node.input[1])
    told = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    is_plain = told.get("alpha", 1.0) == 1.0 == told.get("beta", 1.0) and not told.get("transA", 0)
    if weights is None or weights.ndim != 2 or not is_plain:
        return None
    return weights.T if told.get("transB", 0) else weights


def _in_8_bits(node: onnx.NodeProto, weights: Float32, add: Add) -> list[onnx.NodeProto]:
    """What takes the place of a product by `weights` `[in, out]`, and of the sum with its bias."""
    result, given = node.output[0], node.input[0]
    scale = np.maximum(np.abs(weights).max(axis=0) / _WEIGHT_STEPS, np.finfo(np.float32).tiny)
    made: list[onnx.NodeProto] = []

    def step(operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        output = f"{result}_int8_{name}" if name else result
        made.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    last_axis = add("int8_last_axis", np.array([-1], np.int64))
    least = add("int8_least", np.array(1e-30, np.float32))  # a row of zeros has no scale of its own
    middle = add("int8_middle", np.array(_MIDDLE, np.uint8))
    largest = step("ReduceMax", [step("Abs", [given], "size"), last_axis], "largest", keepdims=1)
    largest = step("Max", [largest, least], "range")
    share = step("Div", [add("int8_steps", np.array(_STEPS, np.float32)), largest], "share")
    steps = step("Mul", [given, share], "steps")
    whole = step("QuantizeLinear", [steps, add("int8_one", np.array(1, np.float32)), middle], "whole")
    matrix = add(f"{result}_int8_weights", np.round(weights / scale).astype(np.int8))
    product = step("Cast", [step("MatMulInteger", [whole, matrix, middle], "sum")], "product", to=TensorProto.FLOAT)
    by_column = step("Mul", [product, add(f"{result}_int8_scale", (scale / _STEPS).astype(np.float32))], "by_column")
    has_bias = len(node.input) > 2 and bool(node.input[2])
    by_row = step("Mul", [by_column, largest], "by_row" if has_bias else "")
    if has_bias:
        step("Add", [by_row, node.input[2]], "")
    return made
