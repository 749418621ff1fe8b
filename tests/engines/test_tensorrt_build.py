"""Real engines, built by TensorRT-RTX on this machine's CPU, for every graph that ships."""

from collections.abc import Sequence
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_build import Target, build, prepared
from facestream.engines.tensorrt_library import TensorRtLibrary
from facestream.engines.tensorrt_network import Network, check_network, parse
from facestream.engines.tensorrt_profiles import Profile, Span, profile_of, profiles_of
from facestream.errors import BundleError, EngineUnavailable
from tests.engines.tensorrt_graphs import Shipped, shipped_graphs, shipped_ids, small_profile

ANY_CARD = Target((8, 6), "fp16")
EVERY_GRAPH = pytest.mark.parametrize("shipped", shipped_graphs(), ids=shipped_ids())


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@EVERY_GRAPH
def test_every_shipped_graph_is_parsed_with_the_types_it_was_written_in(
    library: TensorRtLibrary, shipped: Shipped, precision: str
) -> None:
    file = shipped.spec.file
    network = parse(library, prepared(shipped.model, file, precision, shipped.states), file)
    check_network(network, shipped.spec, file)
    kinds = element_types(library, network)
    for island in ("NORMALIZATION", "SOFTMAX", "REDUCE", "UNARY"):
        assert kinds.get(island, set()) <= {"FLOAT", "INT64", "INT32"}, island
    products = kinds.get("MATRIX_MULTIPLY", set()) | kinds.get("CONVOLUTION", set())
    assert ("HALF" in products) == (precision == "fp16")


@pytest.mark.parametrize("file", ["live.onnx", "memory.onnx"])
def test_a_shipped_graph_becomes_an_engine(library: TensorRtLibrary, file: str) -> None:
    shipped = next(one for one in shipped_graphs() if one.spec.file == file)
    build_engine(library, shipped, [small_profile(shipped.spec)])


@pytest.mark.slow
@pytest.mark.timeout(900)
@EVERY_GRAPH
def test_every_shipped_graph_is_built_for_all_that_is_asked_of_it(library: TensorRtLibrary, shipped: Shipped) -> None:
    build_engine(library, shipped, profiles_of(shipped.bundle.manifest, shipped.spec))


def build_engine(library: TensorRtLibrary, shipped: Shipped, profiles: Sequence[Profile]) -> None:
    model = prepared(shipped.model, shipped.spec.file, ANY_CARD.precision, shipped.states)
    shares: list[float] = []
    plan, _ = build(library, model, shipped.spec, profiles, ANY_CARD, progress=shares.append)
    weights = sum(tensor.ByteSize() for tensor in onnx.load_from_string(model).graph.initializer)
    assert len(plan) > 0.9 * weights
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_an_operator_that_tensorrt_refuses_is_named(library: TensorRtLibrary) -> None:
    refused = square("Det", name="odd-one")
    with pytest.raises(BundleError, match=r"refuses operator 'Det' of node 'odd-one'.*--engine onnx"):
        build(library, refused, SQUARE, [], ANY_CARD)
    # the control: the same graph around an operator that it takes
    spans = {"B": Span.only(2)}
    plan, _ = build(library, square("Exp", name="fine"), SQUARE, [profile_of(SQUARE.inputs, spans)], ANY_CARD)
    assert plan


def test_what_is_no_graph_is_refused(library: TensorRtLibrary) -> None:
    with pytest.raises(BundleError, match=r"odd\.onnx: found no ONNX graph"):
        prepared(b"\xff\xff nonsense", "odd.onnx", "fp16")
    with pytest.raises(BundleError, match="can not read the graph"):
        parse(library, b"nonsense", "odd.onnx")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inputs": {"y": ["B", 4, 4]}}, r"found inputs \['x'\]; expected \['y'\]"),
        ({"outputs": {"result": ["B", 4, 4], "more": ["B"]}}, r"expected \['more', 'result'\]"),
        ({"inputs": {"x": ["B", 4, 5]}}, r"sees input 'x' as \[-1, 4, 4\]; expected \['B', 4, 5\]"),
        ({"inputs": {"x": [2, 4, 4]}}, r"sees input 'x' as \[-1, 4, 4\]; expected \[2, 4, 4\]"),
        ({"outputs": {"result": ["B", 4]}}, "sees output 'result' as"),
    ],
)
def test_a_network_that_breaks_the_manifests_promise_is_refused(
    library: TensorRtLibrary, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        build(library, square("Exp"), SQUARE.model_copy(update=changes), [], ANY_CARD)


def test_inputs_in_half_precision_are_refused(library: TensorRtLibrary) -> None:
    with pytest.raises(BundleError, match="'x' as HALF; expected FLOAT or INT64"):
        build(library, square("Exp", kind=TensorProto.FLOAT16), SQUARE, [], ANY_CARD)


def test_a_device_that_the_library_does_not_know_is_named_with_those_it_does(library: TensorRtLibrary) -> None:
    hopper = (9, 0)
    assert not library.supports(hopper)
    with pytest.raises(EngineUnavailable, match=r"builds for .*SM86.*, not for SM90; install facestream\[tensorrt\]"):
        build(library, square("Exp"), SQUARE, [], Target(hopper, "fp32"))


SQUARE = GraphSpec(file="square.onnx", inputs={"x": ["B", 4, 4]}, outputs={"result": ["B", 4, 4]})


def square(operator: str, *, name: str = "", kind: int = TensorProto.FLOAT) -> bytes:
    """A graph of one operator from `x` to `result`."""
    node = helper.make_node(operator, ["x"], ["result"], name=name)
    ends = [helper.make_tensor_value_info(end, kind, ["B", 4, 4]) for end in ("x", "result")]
    graph = helper.make_graph([node], "square", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def element_types(library: TensorRtLibrary, network: Network) -> dict[str, set[str]]:
    """Element types that go into the layers of each kind."""
    found: dict[str, set[str]] = {}
    for at in range(network.definition.num_layers):
        layer = network.definition.get_layer(at)
        kind = str(layer.type).rsplit(".", 1)[-1]
        for place in range(layer.num_inputs):
            tensor = layer.get_input(place)
            if tensor is not None:
                found.setdefault(kind, set()).add(str(tensor.dtype).rsplit(".", 1)[-1])
    return found
