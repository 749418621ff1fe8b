"""Graphs at the papers' sizes, with random weights, become engines too: what official checkpoints are converted to."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path

import onnx
import pytest
import torch

from facestream.engines.manifest import GraphSpec
from facestream.engines.tensorrt_build import Target, build, prepared
from facestream.engines.tensorrt_library import TensorRtLibrary
from facestream_models.deeptalk import graph as deeptalk
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.diffposetalk import graphs as diffposetalk
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.speech import SpeechFeatures
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.export.graphs import Graph, write_graph
from tests.engines.tensorrt_graphs import small_profile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def deeptalk_graphs() -> Iterator[tuple[str, Graph, Mapping[str, torch.Tensor]]]:
    torch.manual_seed(0)
    network = DeepTalk().eval()
    for name, graph in deeptalk.graphs_of(network).items():
        yield name, graph, deeptalk.example(network, rows=2, codes=3)


def diffposetalk_graphs() -> Iterator[tuple[str, Graph, Mapping[str, torch.Tensor]]]:
    torch.manual_seed(0)
    shape = DenoiserShape()
    model = DiffPoseTalk(shape, SpeechFeatures(shape.width)).eval()
    fast = FastDenoiser(model.denoiser)
    example = diffposetalk.example(fast, rows=2, branches=3, frames=7, window=shape.window)
    yield diffposetalk.SPEECH_GRAPH, diffposetalk.SpeechGraph(model.speech, shape.width), example
    yield diffposetalk.MEMORY_GRAPH, diffposetalk.MemoryGraph(fast), example
    yield diffposetalk.DENOISE_GRAPH, diffposetalk.DenoiseGraph(fast), example
    yield diffposetalk.STYLE_GRAPH, diffposetalk.StyleGraph(StyleEncoder(shape, legacy_positions=True), shape), example


Graphs = Callable[[], Iterator[tuple[str, Graph, Mapping[str, torch.Tensor]]]]


@pytest.mark.parametrize("graphs", [deeptalk_graphs, diffposetalk_graphs])
def test_graphs_at_the_papers_size_become_engines(graphs: Graphs, library: TensorRtLibrary, tmp_path: Path) -> None:
    for name, graph, example in graphs():
        path = tmp_path / name
        write_graph(graph, example, path)
        spec = GraphSpec(file=name, inputs=graph.inputs, outputs=graph.outputs)
        model = prepared(path.read_bytes(), name, "fp16")
        plan, _ = build(library, model, spec, [small_profile(spec)], Target((8, 9), "fp16"))
        count = sum(prod(tensor.dims) for tensor in onnx.load_from_string(model).graph.initializer)
        assert 1.9 * count < len(plan) < 4.5 * count + 40e6, (name, count, len(plan))
        path.unlink()
