"""DEEPTalk as two ONNX graphs, because emotion is heard seldom and motion is made all the time.

    emotion.onnx   pcm [B, 2560 K] -> mean [B, 128], log_variance [B, 128]
    motion.onnx    pcm [B, 2560 K], emotion [B, 128], actor [B, 32], top_noise [B, K, 256], bottom_noise [B, 2 K, 256]
                   -> motion [B, 4 K, 53], top [B, K, 256], bottom [B, 2 K, 256]; of the compact network also the
                      probabilities phone [B, 4 K, 21] of the phone classes at each frame, and seal [B, 4 K], how far
                      what is said shuts the lips whatever codes were taken

Both normalise the audio themselves. Noise of zeros gives the most likely codes, `code_choice.gumbel_noise` times the
temperature gives samples. At the paper's sizes the two hold 440 and 400 MB. Arithmetic is float32 throughout.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream_models.deeptalk.audio import CODE_SAMPLES, FRAMES_PER_CODE
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.system import DeepTalk
from facestream_models.export.graphs import Graph, Shapes, check_graph, write_graph

EMOTION_GRAPH, MOTION_GRAPH = "emotion.onnx", "motion.onnx"

_TRACED_CODES = 3
_PROBED_CODES = 7

Network = DeepTalk | CompactDeepTalk

_PCM: list[int | str] = ["B", f"{CODE_SAMPLES}*K"]


class EmotionGraph(Graph):
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


class MotionGraph(Graph):
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
            self.outputs["seal"] = ["B", f"{FRAMES_PER_CODE}*K"]
        self.eval()

    def forward(self, pcm: Tensor, emotion: Tensor, actor: Tensor, top_noise: Tensor,
                bottom_noise: Tensor) -> tuple[Tensor, ...]:  # fmt: skip
        if not isinstance(self.network, CompactDeepTalk):
            return tuple(self.network(pcm, emotion, actor, top_noise, bottom_noise))
        content = self.network.content(pcm)
        made = self.network.generator(content, emotion, actor, self.network.prior, top_noise, bottom_noise)
        return (*made, self.network.content.phones(content), self.network.content.seal(content))


def export_graphs(network: Network, folder: Path) -> dict[str, EmotionGraph | MotionGraph]:
    """Write both graphs into `folder`, hold each to torch, and return them by file name.

    Raises `EngineError` where a file does not give what torch gives.
    """
    graphs: dict[str, EmotionGraph | MotionGraph] = {
        EMOTION_GRAPH: EmotionGraph(network),
        MOTION_GRAPH: MotionGraph(network),
    }
    for name, graph in graphs.items():
        write_graph(graph, example(network, rows=2, codes=_TRACED_CODES), folder / name)
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
