import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from facestream.errors import EngineError
from facestream_models.deeptalk.code_choice import BOTTOM, TOP, gumbel_noise
from facestream_models.deeptalk.graph import (
    CONTENT_GRAPH,
    EMOTION_GRAPH,
    MOTION_GRAPH,
    EmotionGraph,
    MotionGraph,
    example,
    export_graphs,
    graphs_of,
)
from facestream_models.export.graphs import check_graph
from tests.deeptalk.small import small_system
from tests.deeptalk.tiny_bundle import tiny_compact


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    network = small_system()
    folder = tmp_path_factory.mktemp("graphs")
    export_graphs(network, folder)
    return network, folder


@pytest.fixture(scope="module")
def made_compact(tmp_path_factory):
    network = tiny_compact()
    folder = tmp_path_factory.mktemp("compact_graphs")
    export_graphs(network, folder)
    return network, folder


@pytest.mark.parametrize(("rows", "codes"), [(1, 1), (3, 13)])
def test_the_compact_graphs_give_what_torch_gives_at_any_length(made_compact, rows, codes):
    network, folder = made_compact
    graphs = graphs_of(network)
    assert list(graphs) == [EMOTION_GRAPH, CONTENT_GRAPH, MOTION_GRAPH]
    inputs = example(network, rows, codes)
    for name, graph in graphs.items():
        check_graph(graph, folder / name, inputs)
    inputs["pcm"] = inputs["pcm"][:, :640]
    check_graph(graphs[CONTENT_GRAPH], folder / CONTENT_GRAPH, inputs)


@pytest.mark.parametrize(("rows", "codes"), [(1, 1), (3, 2), (2, 13), (1, 40)])
def test_the_graphs_give_what_torch_gives_at_any_length(made, rows, codes):
    network, folder = made
    inputs = example(network, rows, codes)
    inputs["top_noise"] = torch.from_numpy(np.stack([gumbel_noise(TOP, 5, row, codes, 32) for row in range(rows)]))
    inputs["bottom_noise"] = torch.from_numpy(
        np.stack([gumbel_noise(BOTTOM, 5, 2 * row, 2 * codes, 32) for row in range(rows)])
    )
    check_graph(EmotionGraph(network), folder / EMOTION_GRAPH, inputs)
    check_graph(MotionGraph(network), folder / MOTION_GRAPH, inputs)


def test_a_graph_of_other_weights_is_found_out(made):
    network, folder = made
    other = small_system()
    with torch.no_grad():
        other.generator.face.weight.mul_(1.05)
    with pytest.raises(EngineError, match=r"motion\.onnx: \w+ is .* away from torch's"):
        check_graph(MotionGraph(other), folder / MOTION_GRAPH, example(network, 1, 5))


def test_noise_samples_and_zeros_do_not(made):
    network, folder = made
    session = onnxruntime.InferenceSession(str(folder / MOTION_GRAPH), providers=["CPUExecutionProvider"])
    given = {name: value.numpy() for name, value in example(network, 1, 6).items()}
    calm, again = (session.run(["motion"], given)[0] for _ in range(2))
    given["top_noise"] = gumbel_noise(TOP, 1, 0, 6, 32)[None]
    sampled = session.run(["motion"], given)[0]
    np.testing.assert_array_equal(calm, again)
    assert np.abs(sampled - calm).max() > 0.05


def test_graphs_hold_only_what_use_needs_and_name_no_files(made):
    network, folder = made
    model = onnx.load(folder / MOTION_GRAPH)
    stored = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    used = (network.content, network.generator, network.prior.top_decoder, network.prior.bottom_decoder)
    assert stored < 1.3 * sum(parameter.numel() for part in used for parameter in part.parameters())
    assert not any(node.doc_string for node in model.graph.node)
    assert b"facestream_models" not in model.SerializeToString()


@pytest.mark.parametrize("size", ["made", "made_compact"])
def test_the_files_have_the_axes_that_are_told(size, request):
    network, folder = request.getfixturevalue(size)
    for name, graph in graphs_of(network).items():
        stored = onnx.load(folder / name).graph
        found = {
            value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
            for value in (*stored.input, *stored.output)
        }
        told = graph.inputs | graph.outputs
        assert list(found) == list(told)
        assert {name: found[name] for name in graph.inputs} == graph.inputs
