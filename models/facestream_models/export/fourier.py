"""Fourier tables of exported graphs, computed when a graph is loaded in place of being stored.

A spectrum inside a graph is a product with a table of windowed cosines and sines: 774 kB for 242 bins of a window of
400 samples, more than any layer of a compact network. Three short vectors say the same:

    window [W], bins [K], size N   ->   cos(2 pi n k / N) window[n]  |  sin(2 pi n k / N) window[n]   [W, 2 K]

n k is reduced modulo N as an integer, so that the angle is exact and the table is right to float32. ONNX Runtime
computes it once, when it loads the graph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

SMALLEST = 65_536
"""Numbers in a table that is worth it."""
SIZES = (256, 512, 1024, 2048)
CLOSE = 1e-6
"""How far the largest number of a table may be off, as a share of the window's peak."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class FourierTable:
    """See the module text. `window` [W], `bins` [K]; `is_kernel` is a convolution's layout, [2 K, 1, W]."""

    window: Float64
    bins: NDArray[np.int64]
    size: int
    is_kernel: bool

    def values(self) -> NDArray[np.float32]:
        """The table."""
        angle = 2.0 * np.pi * (np.outer(np.arange(len(self.window)), self.bins) % self.size) / self.size
        both = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * self.window[:, None]
        return (both.T[:, None] if self.is_kernel else both).astype(np.float32)

    def nodes(self, to: str) -> Iterator[onnx.NodeProto]:
        """What computes the table as the value `to`."""

        def stored(kind: str, values: NDArray[np.generic] | np.generic) -> onnx.NodeProto:
            return helper.make_node("Constant", [], [f"{to}_{kind}"], value=numpy_helper.from_array(np.asarray(values)))

        def made(kind: str, inputs: list[str], result: str, **attributes: Any) -> onnx.NodeProto:
            return helper.make_node(kind, [f"{to}_{name}" for name in inputs], [result], **attributes)

        yield stored("window", self.window.astype(np.float32)[:, None])
        yield stored("bins", self.bins[None])
        yield stored("places", np.arange(len(self.window))[:, None])
        yield stored("size", np.int64(self.size))
        yield stored("step", np.float32(2.0 * np.pi / self.size))
        yield made("Mul", ["places", "bins"], f"{to}_product")
        yield made("Mod", ["product", "size"], f"{to}_turn")
        yield made("Cast", ["turn"], f"{to}_real_turn", to=onnx.TensorProto.FLOAT)
        yield made("Mul", ["real_turn", "step"], f"{to}_angle")
        yield made("Cos", ["angle"], f"{to}_cos")
        yield made("Sin", ["angle"], f"{to}_sin")
        yield made("Concat", ["cos", "sin"], f"{to}_both", axis=1)
        if not self.is_kernel:
            yield made("Mul", ["both", "window"], to)
            return
        yield made("Mul", ["both", "window"], f"{to}_table")
        yield made("Transpose", ["table"], f"{to}_turned", perm=[1, 0])
        yield stored("axis", np.array([1]))
        yield made("Unsqueeze", ["turned", "axis"], to)


def recognise(values: NDArray[Any]) -> FourierTable | None:
    """The table that `values` are, `None` for any others."""
    is_kernel = values.ndim == 3 and values.shape[1] == 1
    table = np.asarray(values[:, 0].T if is_kernel else values, np.float64)
    if table.ndim != 2 or table.shape[0] < 4 or table.shape[1] % 2:
        return None
    wave = table[:, : table.shape[1] // 2] + 1j * table[:, table.shape[1] // 2 :]
    window = np.abs(wave).mean(axis=1)
    middle = len(window) // 2  # a window may begin and end at 0
    turned = np.angle(wave[middle + 1] * wave[middle].conj())
    for size in SIZES:
        bins = np.rint(turned * size / (2.0 * np.pi)).astype(np.int64) % size
        found = FourierTable(window, bins, size, is_kernel)
        if np.abs(found.values() - values).max() <= CLOSE * window.max():
            return found
    return None


def with_computed_tables(model: onnx.ModelProto) -> onnx.ModelProto:
    """Compute every large Fourier table of `model` at loading, also one whose cosines and sines are stored apart."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer if np.prod(tensor.dims) >= SMALLEST // 2}
    for node in graph.node:
        if node.op_type == "Constant" and np.prod(node.attribute[0].t.dims) >= SMALLEST // 2:
            stored[node.output[0]] = node.attribute[0].t
    added = list(_computing({name: numpy_helper.to_array(tensor) for name, tensor in stored.items()}))
    computed = {name for node in added for name in node.output}
    initializers = [tensor for tensor in graph.initializer if tensor.name not in computed]
    nodes = [node for node in graph.node if not computed.intersection(node.output)]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initializers)
    graph.node.extend([*added, *nodes])
    return model


def _computing(stored: Mapping[str, NDArray[Any]]) -> Iterator[onnx.NodeProto]:
    """What computes those of the `stored` values, by name, that are tables or the halves of one."""
    left = dict(stored)
    for name, values in stored.items():
        if values.size >= SMALLEST and (table := recognise(values)):
            del left[name]
            yield from table.nodes(name)
    for (cosines, first), (sines, second) in permutations(left.items(), 2):
        are_halves = first.ndim == 2 and first.shape == second.shape and not second[0].any()
        if are_halves and (table := recognise(np.concatenate([first, second], axis=1))):
            yield from table.nodes(f"{cosines}_{sines}")
            yield helper.make_node("Split", [f"{cosines}_{sines}"], [cosines, sines], axis=1, num_outputs=2)
