import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from facestream.errors import EngineError
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.names import plan_named
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from facestream_models.diffposetalk.graphs import (
    DENOISE_GRAPH,
    MEMORY_GRAPH,
    SPEECH_GRAPH,
    STYLE_GRAPH,
    DenoiseGraph,
    MemoryGraph,
    example,
    export_graphs,
)
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.diffposetalk.window import Person, Recipe, Speech, StreamNoise, WindowSampler
from facestream_models.export.graphs import check_graph
from tests.diffposetalk.tiny import model, window_inputs

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    network = model()
    torch.manual_seed(0)
    style = StyleEncoder(network.shape, legacy_positions=True).eval()
    folder = tmp_path_factory.mktemp("graphs")
    return network, export_graphs(network, style, folder), folder


def session(folder, name):
    return onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("rows", "branches", "frames"), [(1, 1, 1), (3, 2, 25), (2, 3, 100), (1, 3, 250)])
def test_the_graphs_give_what_torch_gives_for_any_rows_branches_and_length(made, rows, branches, frames):
    network, graphs, folder = made
    inputs = example(FastDenoiser(network.denoiser), rows, branches, frames, network.shape.window)
    for name, graph in graphs.items():
        check_graph(graph, folder / name, inputs)


def test_graphs_of_other_weights_are_found_out(made):
    network, _, folder = made
    other = FastDenoiser(copy.deepcopy(network.denoiser))
    with torch.no_grad():
        other.denoiser.layers[0].cross_attention.out.weight.mul_(1.05)
        other.denoiser.layers[1].norm2.weight.mul_(1.05)
    inputs = example(FastDenoiser(network.denoiser), 1, 2, 5, network.shape.window)
    for graph, name in ((MemoryGraph(other), MEMORY_GRAPH), (DenoiseGraph(other), DENOISE_GRAPH)):
        with pytest.raises(EngineError, match=r"\.onnx: \w+ is .* away from torch's"):
            check_graph(graph, folder / name, inputs)


def test_a_window_made_by_the_graphs_alone_is_that_of_the_reference(made):
    """The loop as a runtime has to write it: numpy between the graphs, three branches, two kinds of memory."""
    network, _, folder = made
    shape, schedule = network.shape, cosine_schedule()
    given = window_inputs(network, 1, seed=3)
    random = torch.Generator().manual_seed(1)
    person = Person(torch.randn(1, 100, generator=random), torch.randn(1, 128, generator=random))
    recipe = Recipe(plan_named("dpm-solver++", schedule, 4), Guidance(1.15, 3.0))
    noise = CounterNoise(5)
    expected = WindowSampler(network)(
        Speech(given["audio"], given["indicator"]), person, given["past"], recipe, [StreamNoise(noise, 200)]
    ).numpy()

    memory, denoise = session(folder, MEMORY_GRAPH), session(folder, DENOISE_GRAPH)
    null_audio = network.null_audio.detach().expand(1, shape.window, -1)
    kinds = {
        heard: memory.run(None, {"past_audio": given["past"].audio.numpy(), "audio": audio.numpy()})
        for heard, audio in ((False, null_audio), (True, given["audio"]))
    }
    weights = recipe.guidance.weights()
    heard = {
        name: np.concatenate([kinds[branch.audio][place] for branch in weights])
        for place, name in enumerate(("found", "keys", "values", "last"))
    }
    people = torch.cat([network.person(person.identity, person.style if b.style else None) for b in weights])
    fixed = {
        "indicator": given["indicator"].numpy(),
        "past_motion": given["past"].motion.numpy(),
        "person": people.detach().numpy(),
        **heard,
    }
    x, earlier = noise.start(200, (shape.window, shape.motion_count))[None], 0.0
    for update in recipe.plan:
        (guesses,) = denoise.run(None, {"noisy": x, "step": np.array([update.step]), **fixed})
        guess = sum(weight * part for weight, part in zip(weights.values(), guesses, strict=True))[None]
        x = np.float32(update.noisy) * x + np.float32(update.clean) * guess + np.float32(update.earlier) * earlier
        earlier = guess
        x = x.astype(np.float32)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(x, expected, atol=TOLERANCE)


def test_graphs_hold_only_what_use_needs_and_name_no_files(made):
    network, _, folder = made
    for name, parts in ((DENOISE_GRAPH, [network.denoiser]), (SPEECH_GRAPH, [network.speech])):
        content = onnx.load(folder / name)
        stored = sum(int(np.prod(tensor.dims)) for tensor in content.graph.initializer)
        assert stored < 1.05 * sum(p.numel() for part in parts for p in part.parameters())
        assert b"facestream_models" not in content.SerializeToString()


def test_the_files_have_the_axes_that_are_told(made):
    _, graphs, folder = made
    assert list(graphs) == [SPEECH_GRAPH, MEMORY_GRAPH, DENOISE_GRAPH, STYLE_GRAPH]
    for name, graph in graphs.items():
        stored = onnx.load(folder / name).graph
        found = {
            value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
            for value in stored.input
        }
        assert found == graph.inputs
        assert [value.name for value in stored.output] == list(graph.outputs)
