"""Products counted in graphs whose sizes are known, run by ONNX Runtime itself."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facestream_bench.matrix_products import Product, Products, products_in, watched
from facestream_bench.product_times import COPIES, ProductTimer, _graph

SIZES = st.integers(1, 5)
SHARED = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def counted(
    folder: Path,
    operator: str,
    inputs: dict[str, tuple[int, ...]],
    weights: dict[str, tuple[int, ...]],
    runs: int = 1,
    **attributes: object,
) -> Products:
    """Products of one node, in a session that is opened as the engines open theirs."""
    node = helper.make_node(operator, [*inputs, *weights], ["out"], **attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in weights.items()],
    )
    path = folder / "one.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    with watched(folder) as watch:
        session = onnxruntime.InferenceSession(path, None, providers=["CPUExecutionProvider"])
        for _ in range(runs):
            session.run(None, {name: np.ones(shape, np.float32) for name, shape in inputs.items()})
        return watch.products()


@SHARED
@given(b=SIZES, m=SIZES, k=SIZES, n=SIZES, runs=st.integers(1, 3))
def test_products_by_weights_and_of_two_activations(tmp_path: Path, b: int, m: int, k: int, n: int, runs: int) -> None:
    found = counted(tmp_path, "MatMul", {"x": (b, m, k)}, {"w": (k, n)}, runs)
    assert found == {Product(1, b * m, k, n, True): runs}
    found = counted(tmp_path, "MatMul", {"x": (b, 2, m, k), "y": (b, 2, k, n)}, {}, runs)
    assert found == {Product(2 * b, m, k, n, False): runs}


@SHARED
@given(m=SIZES, k=SIZES, n=SIZES, turned=st.booleans())
def test_gemm_either_way_round(tmp_path: Path, m: int, k: int, n: int, turned: bool) -> None:
    x, w = ((k, m), (n, k)) if turned else ((m, k), (k, n))
    found = counted(tmp_path, "Gemm", {"x": x}, {"w": w}, transA=int(turned), transB=int(turned))
    assert found == {Product(1, m, k, n, True): 1}


@SHARED
@given(rows=SIZES, groups=st.integers(1, 3), wide=SIZES, out=SIZES, kernel=st.integers(1, 3))
def test_convolutions_are_patches_by_kernels(
    tmp_path: Path, rows: int, groups: int, wide: int, out: int, kernel: int
) -> None:
    length = 7
    x, w = (rows, groups * wide, length), (groups * out, wide, kernel)
    found = counted(tmp_path, "Conv", {"x": x}, {"w": w}, group=groups)
    assert found == {Product(groups, rows * (length - kernel + 1), wide * kernel, out, True): 1}
    spread = counted(tmp_path, "ConvTranspose", {"x": x}, {"w": (groups * wide, out, kernel)}, group=groups)
    assert spread == {Product(groups, rows * length, wide, out * kernel, True): 1}


def test_recurrent_layers_and_sums_of_products(tmp_path: Path) -> None:
    steps, rows, wide, hidden = 5, 3, 4, 6
    found = counted(
        tmp_path, "GRU", {"x": (steps, rows, wide)}, {"w": (1, 3 * hidden, wide), "r": (1, 3 * hidden, hidden)},
        hidden_size=hidden,
    )  # fmt: skip
    assert sum(one.flops * count for one, count in found.items()) == 2 * steps * rows * 3 * hidden * (wide + hidden)
    found = counted(tmp_path, "Einsum", {"x": (4,), "y": (2, 4, 7)}, {}, equation="l,bld->bd")
    assert found == {Product(1, 1, 4, 14, False): 1}
    found = counted(tmp_path, "Einsum", {"x": (3, 2, 5), "y": (3, 5, 7)}, {}, equation="bik,bkj->bij")
    assert found == {Product(3, 2, 5, 7, False): 1}


def test_an_operator_that_is_not_known_is_refused_rather_than_left_out() -> None:
    event = {"cat": "Node", "args": {"op_name": "FusedMatMul", "input_type_shape": [], "output_type_shape": []}}
    with pytest.raises(NotImplementedError, match="FusedMatMul"):
        products_in([event], onnx.ModelProto())
    event["args"] = event["args"] | {"op_name": "Softmax"}
    assert not products_in([event], onnx.ModelProto())


@pytest.mark.parametrize("product", [Product(1, 3, 4, 5, True), Product(6, 2, 4, 3, False)])
def test_what_is_timed_are_products_of_that_size(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "timed.onnx"
    onnx.save(_graph(product), path)
    with watched(tmp_path) as watch:
        session = onnxruntime.InferenceSession(path)
        given = {one.name: np.ones(one.shape, np.float32) for one in session.get_inputs()}
        results = session.run(None, given)
        assert watch.products() == {product: COPIES}
    assert len(results) == COPIES
    if product.by_weights:
        assert len({result.tobytes() for result in results}) == COPIES, "each has weights of its own"


def test_time_grows_with_the_count() -> None:
    ticks = iter(np.arange(1e6) * 0.001)
    timer = ProductTimer(now=lambda: float(next(ticks)))
    one = timer.seconds([(Product(1, 2, 2, 2, True), 1.0)])
    assert timer.seconds([(Product(1, 2, 2, 2, True), 3.0)]) == pytest.approx(3 * one)
