"""Half precision, computed as it is written by ONNX's own reference: ONNX Runtime leaves casts out where it can."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from facestream.audio.files import read_audio
from facestream.cli.demo import EXAMPLE
from facestream.engines.base import BatchState, StepOutput
from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.onnx import OnnxEngine
from facestream.engines.products import EXACT, PRODUCTS
from facestream.engines.tensorrt_half import half_products, with_half_products
from facestream.motion.bundle_profile import profile_of
from facestream.motion.live import LiveMotion
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.types import Float32
from tests.engines.tensorrt_graphs import Shipped, shipped_graphs, shipped_ids, small_profile

EVERY_GRAPH = pytest.mark.parametrize("shipped", shipped_graphs(), ids=shipped_ids())
EXACT_ALL_THE_WAY = ("motion.onnx", "denoise.onnx")
"""Most products of the first choose codes; those of the second lead to the logarithm of how far off a guess may be."""
TAKES_SECONDS = ("denoise.onnx", "stride.onnx")


def loaded(file: str) -> tuple[Shipped, onnx.ModelProto]:
    shipped = next(one for one in shipped_graphs() if one.spec.file == file)
    return shipped, onnx.load_from_string(shipped.model)


def given(model: onnx.ModelProto, shipped: Shipped) -> Mapping[str, npt.NDArray[Any]]:
    """Noise for what a graph takes; nothing sampled, every frame meant, none known, steps within any schedule."""
    random, shapes, inputs = np.random.default_rng(5), small_profile(shipped.spec, rows=1), {}
    states = {spec.name: (1, *spec.shape) for spec in shipped.states}
    for value in model.graph.input:
        shape = states[value.name] if value.name in states else shapes[value.name].usual
        if value.type.tensor_type.elem_type == TensorProto.INT64:
            inputs[value.name] = np.arange(100, 100 + shape[0])
        elif value.name == "indicator" or value.name.endswith("noise") or value.name == "known":
            inputs[value.name] = np.full(shape, value.name == "indicator", np.float32)
        else:
            loud = 0.1 if value.name in ("pcm", "waveform") else 0.5
            inputs[value.name] = random.normal(0, loud, shape).astype(np.float32)
    return inputs


def furthest(model: onnx.ModelProto, changed: onnx.ModelProto, inputs: Mapping[str, npt.NDArray[Any]]) -> float:
    """Largest difference of any output, as a share of that output's largest value."""
    expected = ReferenceEvaluator(model).run(None, dict(inputs))
    found = ReferenceEvaluator(changed).run(None, dict(inputs))
    shares = [
        np.abs(one - other).max() / max(np.abs(one).max(), 1e-6) for one, other in zip(expected, found, strict=True)
    ]
    return float(max(shares))


@EVERY_GRAPH
def test_products_are_halved_and_nothing_else_changes(shipped: Shipped) -> None:
    model = onnx.load_from_string(shipped.model)
    changed = with_half_products(model)
    onnx.checker.check_model(changed)
    assert [value.name for value in changed.graph.input] == [value.name for value in model.graph.input]
    assert list(changed.graph.output) == list(model.graph.output)
    halved, single = half_products(changed.graph.node)
    assert len(halved) + len(single) == sum(node.op_type in PRODUCTS for node in model.graph.node)
    if shipped.spec.file not in EXACT_ALL_THE_WAY:
        assert len(single) <= 4  # a spectral front end, where there is one
        assert len(halved) > 10
    assert with_half_products(model) == changed


@pytest.mark.parametrize(
    "shipped",
    [pytest.param(one, marks=[pytest.mark.slow] if one.spec.file in TAKES_SECONDS else []) for one in shipped_graphs()],
    ids=shipped_ids(),
)
def test_what_is_computed_stays_the_same_within_the_rounding(shipped: Shipped) -> None:
    model = onnx.load_from_string(shipped.model)
    assert 1e-6 < furthest(model, with_half_products(model), given(model, shipped)) < 5e-3


def test_without_its_island_a_spectral_front_end_is_lost() -> None:
    shipped, model = loaded("live.onnx")
    quiet = dict(given(model, shipped))
    quiet["pcm"] = np.float32(1e-2) * quiet["pcm"]  # -60 dBFS
    quiet |= {spec.name: np.zeros((1, *spec.shape), np.float32) for spec in shipped.states}
    kept = furthest(model, with_half_products(model), quiet)
    lost = furthest(model, with_half_products(model, exact=frozenset()), quiet)
    assert kept < 5e-3
    assert lost > 0.5  # 1.7 when this was written: nothing that is told has to do with what was said


class Halved(OnnxEngine):
    """The live network with half products, as the reference computes it."""

    def __init__(self, bundle: Bundle, exact: frozenset[str]) -> None:
        super().__init__(bundle)
        self._reference = ReferenceEvaluator(with_half_products(onnx.load(bundle.graph_path), exact))

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        names = [spec.name for spec in self.model.states]
        outputs = ["motion", "phone", *(f"next_{name}" for name in names)]
        given = {"pcm": pcm} | {name: state[name] for name in names}
        motion, phone, *following = self._reference.run(outputs, given)
        return StepOutput(motion, phone, dict(zip(names, following, strict=True)))


def test_no_weight_of_a_face_moves_by_more_than_two_thousandths() -> None:
    bundle = open_bundle("live")
    samples, rate_hz = read_audio(EXAMPLE)

    def weights(engine: OnnxEngine) -> Float32:
        retargeter = Retargeter(profile_of(bundle), tuple(bundle.manifest.outputs.extras))
        speech = np.float32(0.03) * samples[: int(1.2 * rate_hz)]  # someone far from the microphone
        return animate(speech, StreamOptions(seed=1), Pipeline(Animator(LiveMotion(engine), retargeter))).weights

    single = weights(OnnxEngine(bundle))
    assert single.max() > 0.1
    apart = np.abs(weights(Halved(bundle, EXACT)) - single)
    assert apart.max() < 2e-3
    assert apart.mean() < 1e-4
    # the control: with the front end in half precision too
    assert np.abs(weights(Halved(bundle, frozenset())) - single).max() > 0.02


def test_a_choice_of_codes_is_made_in_single_precision() -> None:
    _, model = loaded(EXACT_ALL_THE_WAY[0])
    makers = {name: node for node in with_half_products(model).graph.node for name in node.output}

    def leading_to(name: str, seen: set[str]) -> set[str]:
        if name in makers and name not in seen:
            seen.add(name)
            for source in makers[name].input:
                leading_to(source, seen)
        return seen

    chosen = {name for node in makers.values() if node.op_type == "ArgMax" for name in leading_to(node.input[0], set())}
    halved, single = half_products(makers.values())
    assert chosen.isdisjoint(halved)
    assert len(chosen.intersection(single)) > 10
    assert len(halved) > 5  # what the codes look like is not a choice


def test_a_weight_that_half_precision_can_not_hold_keeps_its_product_single() -> None:
    changed = with_half_products(product(np.array([[70000.0]], np.float32)))
    assert half_products(changed.graph.node) == ([], ["y"])
    changed = with_half_products(product(np.array([[60000.0]], np.float32)))
    assert half_products(changed.graph.node) == (["y_of_half"], [])


def test_weights_that_are_stored_in_half_are_taken_as_they_are() -> None:
    _, model = loaded("memory.onnx")
    stored = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    changed = with_half_products(model)
    direct = {name for node in changed.graph.node if node.op_type in PRODUCTS for name in node.input if name in stored}
    assert len(direct) > 5
    sizes = [len(one.SerializeToString()) for one in (changed, model)]
    assert sizes[0] < 1.02 * sizes[1]


def product(weight: npt.NDArray[np.float32]) -> onnx.ModelProto:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, ["B", 1]) for end in ("x", "y")]
    graph = helper.make_graph([node], "product", ends[:1], ends[1:], [numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
