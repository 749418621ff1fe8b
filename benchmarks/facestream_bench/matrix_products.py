"""The matrix products that a piece of work on ONNX Runtime is made of, counted from its graphs as they are run.

Every session that is opened while `watched` is one with its optimisations off and ONNX Runtime's own profile on, so
that each node of the graph file shows with the shapes that it really met. Convolutions and recurrent layers count as
the products that they come down to. Which engine or precision runs the graph later does not matter: the count is the
model's.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import onnx
import onnxruntime

Shape = Sequence[int]


@dataclass(frozen=True, order=True)
class Product:
    """`batch` products of `[m, k]` by `[k, n]`; with `by_weights` the second one is a constant of the graph."""

    batch: int
    m: int
    k: int
    n: int
    by_weights: bool

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.batch * self.m * self.k * self.n


Products = Counter[Product]


class Watch:
    """The sessions of one run; `products` is complete once the run is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sessions: list[tuple[Path, onnxruntime.InferenceSession]] = []

    def open(self, path: Path | str, *_: object, **__: object) -> onnxruntime.InferenceSession:
        """In place of `onnxruntime.InferenceSession`."""
        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(self.folder / f"session_{len(self.sessions)}")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "1")  # packed weights have no shape to show
        options.log_severity_level = 3
        session = _Session(str(path), options, providers=["CPUExecutionProvider"])
        self.sessions.append((Path(path), session))
        return session

    def products(self) -> Products:
        """Products of all runs of all sessions; ends the profiles."""
        found: Products = Counter()
        for path, session in self.sessions:
            trace = Path(session.end_profiling())
            found += products_in(json.loads(trace.read_text()), onnx.load(path, load_external_data=False))
        return found


_Session = onnxruntime.InferenceSession


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Inside, sessions are opened for counting; their profiles are kept in `folder`."""
    watch = Watch(folder)
    with mock.patch.object(onnxruntime, "InferenceSession", watch.open):
        yield watch


def products_in(trace: Sequence[Mapping[str, Any]], model: onnx.ModelProto) -> Products:
    """Products of a profile of `model`. Raises `NotImplementedError` for an operator that has some and is not known."""
    found: Products = Counter()
    for event in trace:
        details = event.get("args", {})
        operator = details.get("op_name")
        if event.get("cat") != "Node" or operator is None:
            continue
        inputs, outputs = (_shapes(details[key]) for key in ("input_type_shape", "output_type_shape"))
        if operator == "Einsum":
            node = model.graph.node[int(details["node_index"])]
            found[_einsum(node, inputs)] += 1
        elif operator in _RULES:
            found.update(_RULES[operator](inputs, outputs))
        elif any(part in operator for part in ("MatMul", "Gemm", "Conv", "GRU", "LSTM", "RNN", "Attention", "Einsum")):
            raise NotImplementedError(f"no rule for the products of operator {operator}")
    return found


def _shapes(typed: Sequence[Mapping[str, Shape]]) -> list[Shape]:
    return [shape for one in typed for shape in one.values()]


def _matmul(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Product]:
    (left, right), out = inputs, outputs[0]
    if len(right) == 2:
        return [Product(1, math.prod(left[:-1]), left[-1], right[1], by_weights=True)]
    return [Product(math.prod(out[:-2]), out[-2], left[-1], out[-1], by_weights=False)]


def _gemm(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Product]:
    rows, columns = outputs[0]
    return [Product(1, rows, math.prod(inputs[0]) // rows, columns, by_weights=True)]


def _conv(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Product]:
    """Each group: its patches `[B * places, k]` by its kernels `[k, n]`."""
    (given, kernels), out = inputs[:2], outputs[0]
    groups = given[1] // kernels[1]
    return [Product(groups, out[0] * math.prod(out[2:]), math.prod(kernels[1:]), kernels[0] // groups, by_weights=True)]


def _conv_transpose(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Product]:
    """Each group: its places `[B * places, k]` by what each spreads `[k, n]`."""
    (given, kernels), out = inputs[:2], outputs[0]
    groups = out[1] // kernels[1]
    places = given[0] * math.prod(given[2:])
    return [Product(groups, places, kernels[0] // groups, math.prod(kernels[1:]), by_weights=True)]


def _gru(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Product]:
    """Inputs of all steps at once, then a product for each step and direction."""
    (steps, rows, width), (directions, gates, _), (_, _, hidden) = inputs[:3]
    whole = Product(1, steps * rows, width, gates, by_weights=True)
    return [whole] * directions + [Product(1, rows, hidden, gates, by_weights=True)] * (steps * directions)


_RULES: Mapping[str, Callable[[Sequence[Shape], Sequence[Shape]], list[Product]]] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "GRU": _gru,
}


def _einsum(node: onnx.NodeProto, inputs: Sequence[Shape]) -> Product:
    """A product of two: what both have and the result has not is summed over."""
    assert node.op_type == "Einsum", f"node {node.name} of the graph is {node.op_type}"
    (equation,) = [attribute.s.decode() for attribute in node.attribute if attribute.name == "equation"]
    terms, result = equation.replace(" ", "").split("->")
    left, right = terms.split(",")
    sizes = dict(zip(left + right, [*inputs[0], *inputs[1]], strict=True))

    def size(letters: set[str]) -> int:
        return math.prod(sizes[letter] for letter in letters)

    both, kept = {*left} & {*right}, {*result}
    return Product(size(both & kept), size({*left} - both), size(both - kept), size({*right} - both), by_weights=False)
