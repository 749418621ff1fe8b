import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from facestream_models.export.lean import lean


def wordy(filters: np.ndarray, weights: np.ndarray) -> onnx.ModelProto:
    """`y = (x @ filters + 3) * 3 @ weights + x @ twin`, told at length; `twin` is `weights` of another name."""
    place = "/network/a/very/long/name/of/a/module/"
    three = numpy_helper.from_array(np.float32(3.0))
    nodes = [
        helper.make_node(
            "Constant", [], [place + "three"], value=three, name=place + "Constant", doc_string="a file of its author"
        ),
        helper.make_node("Constant", [], [place + "three_again"], value=three, name=place + "Constant_1"),
        helper.make_node("MatMul", ["x", place + "filters"], [place + "first"]),
        helper.make_node("Add", [place + "first", place + "three"], [place + "second"]),
        helper.make_node("Mul", [place + "second", place + "three_again"], [place + "third"]),
        helper.make_node("Clip", [place + "third", "", place + "three"], [place + "fourth"]),
        helper.make_node("MatMul", [place + "fourth", place + "weights"], [place + "fifth"]),
        helper.make_node("MatMul", [place + "fourth", place + "twin"], [place + "sixth"]),
        helper.make_node("Sub", [place + "fifth", place + "sixth"], [place + "nothing"]),
        helper.make_node("Add", [place + "nothing", place + "fifth"], ["y"]),
    ]
    stored = [numpy_helper.from_array(filters, place + "filters")]
    stored += [numpy_helper.from_array(weights, place + name) for name in ("weights", "twin")]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", size]) for name, size in (("x", 90), ("y", 7))]
    graph = helper.make_graph(nodes, "wordy", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_a_lean_graph_says_the_same_in_fewer_bytes() -> None:
    random = np.random.default_rng(0)
    filters = np.zeros((90, 60), np.float32)
    filters[np.arange(60) + 10, np.arange(60)] = random.random(60)
    weights = random.standard_normal((60, 7)).astype(np.float32)
    model = wordy(filters, weights)
    x = random.standard_normal((4, 90)).astype(np.float32)

    def run() -> np.ndarray:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(["y"], {"x": x})[0]

    expected, before = run(), model.ByteSize()
    lean(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_array_equal(run(), expected)
    assert model.ByteSize() < before - 0.8 * filters.nbytes - weights.nbytes
    text = model.SerializeToString()
    assert b"network" not in text
    assert b"/home" not in text
    again = model.SerializeToString()
    assert lean(model).ByteSize() <= len(again)
