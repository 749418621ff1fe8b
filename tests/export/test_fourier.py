import numpy as np
import onnx
import onnxruntime
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facestream_models.encoders.compact_emotion import PitchSpectrum
from facestream_models.encoders.mel import MelPower
from facestream_models.export.fourier import FourierTable, recognise, with_computed_tables


def product(table: np.ndarray, op: str, axes: list[str | int], is_constant: bool) -> onnx.ModelProto:
    """A graph that multiplies `x` of those axes by `table`."""
    stored = numpy_helper.from_array(table, "table")
    nodes = [helper.make_node(op, ["x", "table"], ["y"])]
    if is_constant:
        nodes.insert(0, helper.make_node("Constant", [], ["table"], value=stored))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name in "xy"]
    graph = helper.make_graph(nodes, "product", ends[:1], ends[1:], [] if is_constant else [stored])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_the_tables_of_the_encoders_are_computed_and_give_the_same_spectra() -> None:
    random = np.random.default_rng(0)
    for table, op, shape, is_constant in (
        (MelPower(40).transform.numpy(), "MatMul", (2, 9, 200), True),
        (PitchSpectrum().basis.numpy(), "Conv", (2, 1, 1500), False),
    ):
        model = product(table, op, ["B", "C", "T"], is_constant)
        x = random.standard_normal(shape).astype(np.float32)
        expected = run(model, x)
        computed = with_computed_tables(model)
        onnx.checker.check_model(computed)
        assert len(computed.SerializeToString()) < 0.05 * table.nbytes
        np.testing.assert_allclose(run(computed, x), expected, atol=3e-6 * float(np.abs(expected).max()))


def test_cosines_and_sines_stored_apart_are_computed_too() -> None:
    halves = dict(zip(("cosines", "sines"), np.split(MelPower(40).transform.numpy(), 2, axis=1), strict=True))
    other = np.random.default_rng(2).standard_normal(halves["sines"].shape).astype(np.float32)
    stored = [numpy_helper.from_array(values, name) for name, values in (halves | {"other": other}).items()]
    nodes = [helper.make_node("MatMul", ["x", name], [f"{name}_of_x"]) for name in ("other", "sines", "cosines")]
    nodes.append(helper.make_node("Concat", [node.output[0] for node in nodes], ["y"], axis=2))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", "C", "T"]) for name in "xy"]
    graph = helper.make_graph(nodes, "products", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    x = np.random.default_rng(0).standard_normal((2, 9, 200)).astype(np.float32)
    expected = run(model, x)
    computed = with_computed_tables(model)
    onnx.checker.check_model(computed)
    assert len(computed.SerializeToString()) < 1.1 * other.nbytes
    np.testing.assert_allclose(run(computed, x), expected, atol=3e-6 * float(np.abs(expected).max()))


@settings(max_examples=20, deadline=None)
@given(
    size=st.sampled_from([256, 512, 1024, 2048]),
    is_kernel=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_table_is_recognised_and_a_changed_one_is_not(size: int, is_kernel: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    window = 0.1 + random.random(int(random.integers(8, size)))
    bins = np.sort(random.choice(size // 2, int(random.integers(2, 40)), replace=False))
    values = FourierTable(window, bins, size, is_kernel).values()
    found = recognise(values)
    assert found is not None
    np.testing.assert_allclose(found.values(), values, atol=1e-6)
    values.flat[int(random.integers(values.size))] += 1e-3
    assert recognise(values) is None


def test_weights_are_no_tables() -> None:
    for shape in ((256, 512), (512, 1, 128), (300, 301)):
        assert recognise(np.random.default_rng(1).standard_normal(shape).astype(np.float32)) is None
