"""DEEPTalk as two ONNX graphs, because emotion is heard seldom and motion is made all the time.

    emotion.onnx   pcm [B, 2560 K] -> mean [B, 128], log_variance [B, 128]
    motion.onnx    pcm [B, 2560 K], emotion [B, 128], actor [B, 32], top_noise [B, K, 256], bottom_noise [B, 2 K, 256]
                   -> motion [B, 4 K, 53], top [B, K, 256], bottom [B, 2 K, 256]; of the compact network also the
                      probabilities phone [B, 4 K, 21] of the phone classes at each frame

Both normalise the audio themselves. Noise of zeros gives the most likely codes, `code_choice.gumbel_noise` times the
temperature gives samples. At the paper's sizes the two hold 440 and 400 MB. Large weights that float16 holds exactly are
stored so; arithmetic is float32 throughout.

The tracing exporter of torch is used on purpose: the newer one solves the convolutions' lengths symbolically, which
takes 16 s of processor time for four layers of 32 channels where tracing takes 0.7 s (2026-11-21, torch 2.13). What
the graphs compute is held to torch, at several lengths and batch sizes, by their tests.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.errors import EngineError
from facestream_models.deeptalk.audio import CODE_SAMPLES, FRAMES_PER_CODE
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.export.onnx import with_half_storage

OPSET = 18
EMOTION_GRAPH, MOTION_GRAPH = "emotion.onnx", "motion.onnx"
TOLERANCE = 1e-4
"""How far a graph's numbers may be from torch's."""

_TRACED_CODES = 3
_PROBED_CODES = 7

Shapes = dict[str, list[int | str]]
"""Axes of each input or output by name: a number, or text where a caller chooses."""

Network = DeepTalk | CompactDeepTalk

_PCM: list[int | str] = ["B", f"{CODE_SAMPLES}*K"]


class EmotionGraph(nn.Module):
    """See the module text."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        width = network.shape.emotion.embedding
        self.inputs: Shapes = {"pcm": _PCM}
        self.outputs: Shapes = {"mean": ["B", width], "log_variance": ["B", width]}
        self.eval()  # the exporter puts a module back into the mode it found, with all that is in it

    def forward(self, pcm: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.network.hear_emotion(pcm)
        return mean, log_variance


class MotionGraph(nn.Module):
    """See the module text."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        shape = network.shape.generator
        top: list[int | str] = ["B", "K", shape.codes]
        bottom: list[int | str] = ["B", "2*K", shape.codes]
        self.inputs: Shapes = {
            "pcm": _PCM,
            "emotion": ["B", shape.emotion],
            "actor": ["B", shape.actors],
            "top_noise": top,
            "bottom_noise": bottom,
        }
        self.outputs: Shapes = {
            "motion": ["B", f"{FRAMES_PER_CODE}*K", network.shape.prior.coefficients],
            "top": top,
            "bottom": bottom,
        }
        if isinstance(network, CompactDeepTalk):
            self.outputs["phone"] = ["B", f"{FRAMES_PER_CODE}*K", network.content.classes]
        self.eval()

    def forward(self, pcm: Tensor, emotion: Tensor, actor: Tensor, top_noise: Tensor,
                bottom_noise: Tensor) -> tuple[Tensor, ...]:  # fmt: skip
        if not isinstance(self.network, CompactDeepTalk):
            return tuple(self.network(pcm, emotion, actor, top_noise, bottom_noise))
        content = self.network.content(pcm)
        made = self.network.generator(content, emotion, actor, self.network.prior, top_noise, bottom_noise)
        return (*made, self.network.content.phones(content))


def export_graphs(network: Network, folder: Path) -> dict[str, EmotionGraph | MotionGraph]:
    """Write both graphs into `folder`, hold each to torch, and return them by file name.

    Raises `EngineError` where a file does not give what torch gives.
    """
    graphs: dict[str, EmotionGraph | MotionGraph] = {
        EMOTION_GRAPH: EmotionGraph(network),
        MOTION_GRAPH: MotionGraph(network),
    }
    for name, graph in graphs.items():
        _export(graph, example(network, rows=2, codes=_TRACED_CODES), folder / name)
        check_graph(graph, folder / name, example(network, rows=1, codes=_PROBED_CODES))
    return graphs


def example(network: Network, rows: int, codes: int) -> dict[str, Tensor]:
    """Inputs of both graphs by name: noise for speech, some emotion, actors in turn, nothing sampled."""
    shape = network.shape.generator
    random = torch.Generator().manual_seed(rows * 1000 + codes)
    return {
        "pcm": 0.1 * torch.randn(rows, CODE_SAMPLES * codes, generator=random),
        "emotion": F.normalize(torch.randn(rows, shape.emotion, generator=random), dim=1),
        "actor": torch.eye(shape.actors)[torch.arange(rows) % shape.actors],
        "top_noise": torch.zeros(rows, codes, shape.codes),
        "bottom_noise": torch.zeros(rows, 2 * codes, shape.codes),
    }


def check_graph(graph: EmotionGraph | MotionGraph, path: Path, inputs: Mapping[str, Tensor]) -> None:
    """Run the file and torch on `inputs` and compare. Raises `EngineError` naming the output that differs."""
    given = {name: inputs[name] for name in graph.inputs}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(list(graph.outputs), {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        expected = graph(*given.values())
    for name, ours, theirs in zip(graph.outputs, found, expected, strict=True):
        apart = float(np.abs(ours - theirs.numpy()).max()) if ours.shape == tuple(theirs.shape) else float("inf")
        if not apart <= TOLERANCE:
            raise EngineError(
                f"{path}: {name} is {apart:.2g} away from torch's, at most {TOLERANCE} is right; "
                "convert with the versions of torch and onnxruntime that pyproject.toml names"
            )


def _export(graph: EmotionGraph | MotionGraph, inputs: Mapping[str, Tensor], path: Path) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its age and of loops over recurrent state
        torch.onnx.export(
            graph,
            tuple(inputs[name] for name in graph.inputs),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes={
                name: {place: axis for place, axis in enumerate(axes) if isinstance(axis, str)}
                for name, axes in (graph.inputs | graph.outputs).items()
            },
        )
    model = onnx.load(path)
    for node in model.graph.node:
        node.doc_string = ""  # names source files of this machine
    model = with_half_storage(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
