"""A graph's file without what only its author reads: long names, constants told twice, zeros of sparse tables.

The tracing exporter names every value by the module it came from and writes a constant anew wherever it is used: 420 of
the 11,900 kB of deeptalk-compact's two graphs (2026-11-21). Nothing that is computed changes.
"""

import hashlib
from itertools import count
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

SPARSE = 0.1
"""Share of numbers other than zero below which a table is stored by its entries, 20 bytes each for 4 a number."""
SMALLEST = 4096
"""Numbers in a table that is worth it: the triangles of mel filters."""


def lean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Make the file of `model` small in place; inputs and outputs keep their names."""
    graph = model.graph
    renamed: dict[str, str] = {value.name: value.name for value in (*graph.input, *graph.output)}
    numbers = count()

    def short(name: str) -> str:
        if name not in renamed:
            renamed[name] = f"v{next(numbers)}" if name else ""
        return renamed[name]

    _store_constants(graph)
    _merge_equal(graph, renamed)
    for node in graph.node:
        node.name = node.doc_string = ""
        for names in (node.input, node.output):
            names[:] = [short(name) for name in names]
    del graph.value_info[:]
    _store_sparsely(graph)
    return model


def _store_constants(graph: onnx.GraphProto) -> None:
    """Turn nodes that hold a constant into stored tensors."""
    others = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            values = numpy_helper.to_array(node.attribute[0].t)
            graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        else:
            others.append(node)
    _replace(graph.node, others)


def _merge_equal(graph: onnx.GraphProto, renamed: dict[str, str]) -> None:
    """Keep one of all stored tensors that are equal, under one name."""
    first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    kept = []
    for tensor in graph.initializer:
        digest = hashlib.sha256(numpy_helper.to_array(tensor).tobytes()).digest()
        key = tensor.data_type, tuple(tensor.dims), digest
        if key not in first:
            first[key] = f"w{len(first)}"
            kept.append(tensor)
        renamed[tensor.name] = first[key]
    for tensor in kept:
        tensor.name = renamed[tensor.name]
    _replace(graph.initializer, kept)


def _store_sparsely(graph: onnx.GraphProto) -> None:
    """Store sparse tables by where they are not zero; ONNX Runtime fills them in when it loads the graph."""
    filling, stored = [], []
    for tensor in graph.initializer:
        is_large = tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST
        values = numpy_helper.to_array(tensor)
        if not is_large or np.count_nonzero(values) > SPARSE * values.size:
            stored.append(tensor)
            continue
        name, places = tensor.name, np.argwhere(values)
        parts = {"shape": np.array(values.shape), "places": places, "numbers": values[tuple(places.T)]}
        stored += [numpy_helper.from_array(part, f"{name}_{kind}") for kind, part in parts.items()]
        inputs = [f"{name}_{kind}" for kind in ("zeros", "places", "numbers")]
        filling.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], inputs[:1]))
        filling.append(helper.make_node("ScatterND", inputs, [name]))
    _replace(graph.initializer, stored)
    _replace(graph.node, [*filling, *graph.node])


def _replace(field: Any, values: list[Any]) -> None:
    """Put `values`, which may be in it already, in place of what a repeated field holds."""
    del field[:]
    field.extend(values)
