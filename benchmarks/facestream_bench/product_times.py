"""How long matrix products take by themselves, with the library, the core and the one thread that the engine has."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from facestream_bench.matrix_products import Product

COPIES = 4
"""Equal products in one call, each with operands of its own, so that neither the call nor a warm cache is measured."""
_SHORTEST_S = 0.002
"""A measurement repeats its call for at least so long."""


class ProductTimer:
    """Times products of fp32, one kind at a time; sessions are kept, because the same kinds come again."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._calls: dict[Product, _Call] = {}

    def seconds(self, products: Iterable[tuple[Product, float]]) -> float:
        """Of so many of each."""
        total = 0.0
        for product, count in products:
            if product not in self._calls:
                self._calls[product] = _Call(product)
            total += count * self._calls[product].seconds(self._now)
        return total


class _Call:
    """One session of `COPIES` products; what it reads and writes is bound once."""

    def __init__(self, product: Product) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        graph = _graph(product).SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._binding = self._session.io_binding()
        random = np.random.default_rng(0)
        for given in self._session.get_inputs():
            values = random.standard_normal(given.shape).astype(np.float32)
            self._binding.bind_ortvalue_input(given.name, onnxruntime.OrtValue.ortvalue_from_numpy(values))
        for result in self._session.get_outputs():
            empty = onnxruntime.OrtValue.ortvalue_from_shape_and_type(result.shape, np.float32)
            self._binding.bind_ortvalue_output(result.name, empty)
        self._session.run_with_iobinding(self._binding)

    def seconds(self, now: Callable[[], float]) -> float:
        """Of one product."""
        calls, began = 0, now()
        while (passed := now() - began) < _SHORTEST_S:
            self._session.run_with_iobinding(self._binding)
            calls += 1
        return passed / (calls * COPIES)


def _graph(product: Product) -> onnx.ModelProto:
    lead = [product.batch] if product.batch > 1 else []
    left, right = [*lead, product.m, product.k], [*lead, product.k, product.n]
    random = np.random.default_rng(1)
    nodes, inputs, outputs, weights = [], [_tensor("left", left)], [], []
    for copy in range(COPIES):
        name = f"right_{copy}"
        if product.by_weights:
            weights.append(numpy_helper.from_array(random.standard_normal(right).astype(np.float32), name))
        else:
            inputs.append(_tensor(name, right))
        nodes.append(helper.make_node("MatMul", ["left", name], [f"out_{copy}"]))
        outputs.append(_tensor(f"out_{copy}", [*lead, product.m, product.n]))
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _tensor(name: str, shape: list[int]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
