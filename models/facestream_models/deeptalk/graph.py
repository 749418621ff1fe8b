"""DEEPTalk as ONNX graphs, because emotion is heard seldom, words all the time, and motion is made by windows.

    emotion.onnx   pcm [B, 2560 K] -> mean [B, 128], log_variance [B, 128]
    motion.onnx    speech, emotion [B, 128], actor [B, 32], top_noise [B, K, 256], bottom_noise [B, 2 K, 256]
                   -> motion [B, 4 K, 53], top [B, K, 256], bottom [B, 2 K, 256]

The speech of the paper's network is pcm [B, 2560 K]: its encoder hears a window as a whole. The compact one hears from
left to right, so a live stream need hear no hop of 40 ms twice: its speech is the content [B, 4 K, W] of frames, and a
third graph hears hop by hop, its state `state_*` being zeros where a stream begins:

    content.onnx   pcm [B, 640 H], state_* -> content [B, H, W], probabilities phone [B, 2 H, 21] of the phone classes,
                   next_state_*

Row h of its content is of the frame that began one hop before; its phones are at that instant and 20 ms on. All graphs
normalise the audio themselves. Noise of zeros gives the most likely codes, `code_choice.gumbel_noise` times the
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
from facestream_models.export.onnx import STATE_PREFIX
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS

EMOTION_GRAPH, MOTION_GRAPH, CONTENT_GRAPH = "emotion.onnx", "motion.onnx", "content.onnx"

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
        content: list[int | str] = ["B", f"{FRAMES_PER_CODE}*K", shape.width]
        speech: Shapes = {"content": content} if isinstance(network, CompactDeepTalk) else {"pcm": _PCM}
        self.inputs: Shapes = speech | {
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
        self.eval()

    def forward(self, speech: Tensor, emotion: Tensor, actor: Tensor, top_noise: Tensor,
                bottom_noise: Tensor) -> tuple[Tensor, ...]:  # fmt: skip
        network = self.network
        if isinstance(network, CompactDeepTalk):
            return tuple(network.generator.speak(speech, emotion, actor, network.prior, top_noise, bottom_noise))
        return tuple(network(speech, emotion, actor, top_noise, bottom_noise))


class ContentGraph(Graph):
    """See the module text. Of the content it gives what the generator's first layer makes of it, which is narrower."""

    def __init__(self, network: CompactDeepTalk) -> None:
        super().__init__()
        self.network = network
        self.state_names = list(network.content.network.fresh_state(1))
        states = {name: list(state.shape[1:]) for name, state in network.content.network.fresh_state(1).items()}
        carried: Shapes = {STATE_PREFIX + name: ["B", *shape] for name, shape in states.items()}
        self.inputs: Shapes = {"pcm": ["B", f"{HOP_SAMPLES}*H"], **carried}
        self.outputs: Shapes = {
            "content": ["B", "H", network.shape.generator.width],
            "phone": ["B", f"{HOP_STEPS}*H", network.content.classes],
            **{f"next_{name}": axes for name, axes in carried.items()},
        }
        self.eval()

    def forward(self, pcm: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        heard, following = self.network.content.listen(pcm, dict(zip(self.state_names, states, strict=True)))
        said = self.network.generator.content(heard.content)
        return said, heard.phone, *(following[name] for name in self.state_names)


def graphs_of(network: Network) -> dict[str, Graph]:
    """The graphs of `network` by file name, in the order in which a clip goes through them."""
    graphs: dict[str, Graph] = {EMOTION_GRAPH: EmotionGraph(network)}
    if isinstance(network, CompactDeepTalk):
        graphs[CONTENT_GRAPH] = ContentGraph(network)
    return graphs | {MOTION_GRAPH: MotionGraph(network)}


def export_graphs(network: Network, folder: Path) -> dict[str, Graph]:
    """Write the graphs into `folder`, hold each to torch, and return them by file name.

    Raises `EngineError` where a file does not give what torch gives.
    """
    graphs = graphs_of(network)
    for name, graph in graphs.items():
        write_graph(graph, example(network, rows=2, codes=_TRACED_CODES), folder / name)
        check_graph(graph, folder / name, example(network, rows=1, codes=_PROBED_CODES))
    return graphs


def example(network: Network, rows: int, codes: int) -> dict[str, Tensor]:
    """Inputs of all graphs by name: noise for speech, some emotion, actors in turn, nothing sampled, any state."""
    shape = network.shape.generator
    random = torch.Generator().manual_seed(rows * 1000 + codes)
    given = {
        "pcm": 0.1 * torch.randn(rows, CODE_SAMPLES * codes, generator=random),
        "emotion": F.normalize(torch.randn(rows, shape.emotion, generator=random), dim=1),
        "actor": torch.eye(shape.actors)[torch.arange(rows) % shape.actors],
        "top_noise": torch.zeros(rows, codes, shape.codes),
        "bottom_noise": torch.zeros(rows, 2 * codes, shape.codes),
    }
    if isinstance(network, CompactDeepTalk):
        given["content"] = torch.randn(rows, FRAMES_PER_CODE * codes, shape.width, generator=random)
        for name, state in network.content.network.fresh_state(rows).items():
            given[STATE_PREFIX + name] = 0.1 * torch.randn(state.shape, generator=random)
    return given
