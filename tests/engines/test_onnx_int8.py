"""8 bits: as near as their scales allow, each row by itself, and faces of the shipped bundle within their budget."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facestream.engines import onnx_int8
from facestream.engines.base import ROW
from facestream.engines.bundle import open_bundle
from facestream.engines.choice import INT8, ONNX, EngineOptions, open_onnx
from facestream.engines.onnx_int8 import with_int8_products
from facestream.engines.onnx_sessions import open_in_8_bits
from facestream.errors import BundleError, EngineUnavailable
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from facestream_bench.parity import batch_differences, differences, pieces_of, weights_of
from facestream_bench.speech import clip_speech

MEAN_BUDGET, WORST_BUDGET = 0.01, 0.05


def graph_of(
    weights: Float32, bias: Float32 | None, turned: bool, opset: int = 18, leads_to: str = ""
) -> onnx.ModelProto:
    """y = x W (+ b), perhaps with W stored turned and in float16 behind a cast, perhaps with an operator behind it."""
    stored = numpy_helper.from_array((weights.T if turned else weights).astype(np.float16), "stored")
    product = "product" if leads_to else "y"
    nodes = [helper.make_node("Cast", ["stored"], ["w"], to=TensorProto.FLOAT)]
    if bias is None:
        nodes.append(helper.make_node("MatMul", ["x", "w"], [product]))
    else:
        nodes.append(helper.make_node("Gemm", ["x", "w", "b"], [product], transB=int(turned)))
    if leads_to:
        nodes.append(helper.make_node(leads_to, [product], ["y"]))
    values = [stored] if bias is None else [stored, numpy_helper.from_array(bias, "b")]
    graph = helper.make_graph(
        nodes,
        "one product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", weights.shape[1]])],
        values,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def products_in_8_bits(model: onnx.ModelProto) -> int:
    return sum(node.op_type == "MatMulInteger" for node in model.graph.node)


def run(model: onnx.ModelProto, x: Float32) -> Float32:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(["y"], {"x": x})
    return np.asarray(found)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 80), st.integers(1, 40), st.booleans(), st.booleans()
)
def test_a_product_is_as_near_as_its_scales_allow_and_rows_do_not_meet(
    seed: int, rows: int, taken: int, given_out: int, is_gemm: bool, turned: bool
) -> None:
    random = np.random.default_rng(seed)
    weights = random.normal(0, 10 ** random.uniform(-3, 1, given_out), (taken, given_out)).astype(np.float16)
    weights = weights.astype(np.float32)
    bias = random.normal(size=given_out).astype(np.float32) if is_gemm else None
    x = random.normal(0, 10.0 ** random.uniform(-4, 4, (rows, 1)), (rows, taken)).astype(np.float32)
    model = graph_of(weights, bias, turned and is_gemm)
    changed = with_int8_products(model, smallest=0)
    onnx.checker.check_model(changed)
    assert products_in_8_bits(changed) == 1
    found = run(changed, x)
    # half a step of either factor, times the size of the other one
    half_x, half_w = np.abs(x).max(1, keepdims=True) / 254, np.abs(weights).max(0, keepdims=True) / 126
    bound = half_x * np.abs(weights).sum(0) + np.abs(x).sum(1, keepdims=True) * half_w + taken * half_x * half_w
    assert (np.abs(found - run(model, x)) <= 1.01 * bound + 1e-5 * np.abs(found)).all()
    for row in range(rows):
        np.testing.assert_array_equal(run(changed, x[row : row + 1])[0], found[row])


def test_silence_gives_the_bias() -> None:
    bias = np.arange(4, dtype=np.float32)
    changed = with_int8_products(graph_of(np.ones((8, 4), np.float32), bias, False), smallest=0)
    np.testing.assert_array_equal(run(changed, np.zeros((1, 8), np.float32))[0], bias)


def test_a_row_that_is_not_finite_fails_alone() -> None:
    backend = open_onnx(EngineOptions(ONNX, precision=INT8))
    engine = backend.open_live(open_bundle("live"))
    pcm = np.random.default_rng(1).normal(0, 0.1, (4, engine.model.hop_samples)).astype(np.float32)
    pcm[1, 5], pcm[3, 7] = np.nan, np.inf
    state = engine.model.fresh_state(4) | {ROW: np.arange(1, 5, dtype=np.float32)}
    assert list(engine.step(pcm, state).failed_rows()) == [1, 3]


def test_small_products_and_those_that_must_be_exact_stay() -> None:
    weights = np.ones((128, 128), np.float32)
    assert weights.size == onnx_int8.SMALLEST
    assert products_in_8_bits(with_int8_products(graph_of(weights, None, False))) == 1
    for same in (graph_of(weights[:, :-1], None, False), graph_of(weights, None, False, leads_to="Log")):
        assert with_int8_products(same) == same


def test_a_graph_of_an_older_standard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    onnx.save(graph_of(np.ones((4, 4), np.float32), None, False, opset=17), path)
    with pytest.raises(EngineUnavailable, match=r"old\.onnx: .*version 17; expected 18 or newer; use --precision fp32"):
        open_in_8_bits(path)
    path.write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"old\.onnx: found a graph that ONNX Runtime"):
        open_in_8_bits(path)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EngineUnavailable, match=r"needs an extra: pip install 'facestream\[int8\]'; or use .* fp32"):
        open_in_8_bits(open_bundle("live").graph_path)


def test_faces_of_the_shipped_bundle_stay_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = clip_speech()
    heard = [speech[: 16_000 * 2]]
    truth = weights_of(open_pipeline("live"), heard, None)[0]
    assert np.ptp(truth, axis=0).max() > 0.3, "somebody speaks"
    pipeline = open_pipeline("live", engine=EngineOptions(ONNX, precision=INT8))
    found = differences(weights_of(pipeline, heard, None)[0], truth)
    assert 1e-5 < found["mean"] <= MEAN_BUDGET
    assert found["max"] <= WORST_BUDGET
    assert batch_differences(pipeline, pieces_of(speech, 3, 0.4), [3], None)["batch.max"] <= 1e-6
    # with every product in 8 bits, the front end among them, the same budget is missed
    monkeypatch.setattr(onnx_int8, "exact_products", lambda nodes: set())
    monkeypatch.setattr(onnx_int8, "with_int8_products", lambda model: with_int8_products(model, smallest=0))
    everything = open_pipeline("live", engine=EngineOptions(ONNX, precision=INT8))
    assert differences(weights_of(everything, heard, None)[0], truth)["max"] > WORST_BUDGET


def test_other_families_stay_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_int8, "with_int8_products", lambda model: pytest.fail("changed a graph"))
    assert (
        open_pipeline("deeptalk-compact", engine=EngineOptions(ONNX, precision=INT8)).model.name == "deeptalk-compact"
    )
