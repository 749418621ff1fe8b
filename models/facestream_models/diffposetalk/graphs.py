"""DiffPoseTalk as four ONNX graphs, cut where the rates at which they are needed differ.

    speech.onnx   where it is heard from left to right, hop by hop, its state zeros where a stream begins:
                  waveform [B, 640 H], state_* -> features [B, H, W] of the frames that began one hop before,
                  probabilities of classes phone [B, H, C], and seal [B, H], how far what is said shuts the lips,
                  next_state_*; else once a clip, or once for a rolling span of a live stream:
                  waveform [B, 640 F] -> features [B, F, W]
    memory.onnx   once a window, for its speech and for the null vector where guidance needs a branch without speech:
                  past_audio [B, P, W], audio [B, L, W]
                  -> found [B, N, M, W], keys and values [B, N, A, M, H], last [B, L, W]
    denoise.onnx  once an evaluation of a whole window, for all guidance branches of all streams together:
                  noisy [B, L, D], step int64 [B], indicator [B, L], past_motion [B, P, D], person [G B, I + S], and the
                  rows of memory.onnx that each of the G B rows hears -> guess [G B, L, D]
    stride.onnx   where there is a distilled network, its one evaluation of a window, in one branch:
                  noisy, here and there int64 [B], scales [B, 2], known [B, L], and the rest of a window as above
                  -> guess [B, L, D]
    style.onnx    once a reference clip:
                  motion [B, 100, D] -> style [B, S]

`M = P + L` frames of the past and the window, which has as many as the network or fewer; `N` layers but the last, `A`
heads of width `H`. Branches are rows: all rows of the first, then all of the second. A
window of one stream has B = 1; guidance weights, the sampler's update and the null vectors are plain arithmetic and
belong to the caller, so one denoiser serves every sampler and every scale. What of a window does not depend on the
step beside the memory is 0.1 % of an evaluation, and is computed again.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.schedule import DIFFUSION_STEPS
from facestream_models.diffposetalk.compact import CompactSpeech
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser, HeardAudio, LayerAudio
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import FRAME_SAMPLES, DenoiserShape
from facestream_models.diffposetalk.student import FastStudent, Stride, Student
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES, StyleEncoder
from facestream_models.export.graphs import Graph, Shapes, check_graph, write_graph

SPEECH_GRAPH, MEMORY_GRAPH, DENOISE_GRAPH, STYLE_GRAPH = "speech.onnx", "memory.onnx", "denoise.onnx", "style.onnx"
STRIDE_GRAPH = "stride.onnx"

PHONE = "phone"
STATE, NEXT = "state_", "next_"

_BRANCHES = "G*B"
FRAMES, SEEN = "L", "M"
"""Frames of a window, as many as there are positions for or fewer, and of the past and a window."""


class SpeechGraph(Graph):
    """What of a waveform the denoiser hears, of a whole clip."""

    def __init__(self, speech: nn.Module, width: int) -> None:
        super().__init__()
        self.speech = speech
        self.inputs: Shapes = {"waveform": ["B", f"{FRAME_SAMPLES}*F"]}
        self.outputs: Shapes = {"features": ["B", "F", width]}
        self.eval()  # the exporter puts a module back into the mode it found, with all that is in it

    def forward(self, waveform: Tensor) -> tuple[Tensor, ...]:
        return (self.speech(waveform),)


class HopSpeechGraph(Graph):
    """The same hop by hop, and which phones are heard."""

    def __init__(self, speech: CompactSpeech, width: int) -> None:
        super().__init__()
        self.speech = speech
        states: Shapes = {STATE + name: ["B", *value.shape[1:]] for name, value in speech.fresh_state(1).items()}
        self.inputs: Shapes = {"waveform": ["B", f"{FRAME_SAMPLES}*H"], **states}
        self.outputs: Shapes = {
            "features": ["B", "H", width],
            PHONE: ["B", "H", speech.content.classes],
            "seal": ["B", "H"],
            **{NEXT + name: axes for name, axes in states.items()},
        }
        self.eval()

    def forward(self, waveform: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        names = [name.removeprefix(STATE) for name in self.inputs][1:]
        heard, following = self.speech.hear(waveform, dict(zip(names, states, strict=True)))
        return (*heard, *(following[name] for name in names))


class MemoryGraph(Graph):
    """What all layers hear in a window, whatever the step."""

    def __init__(self, fast: FastDenoiser) -> None:
        super().__init__()
        self.fast = fast
        shape = fast.shape
        self.inputs: Shapes = {
            "past_audio": ["B", shape.past, shape.width],
            "audio": ["B", FRAMES, shape.width],
        }
        self.outputs: Shapes = _memory_axes(shape, "B", FRAMES, SEEN)
        self.eval()

    def forward(self, past_audio: Tensor, audio: Tensor) -> tuple[Tensor, ...]:
        heard = self.fast.hear(past_audio, audio)
        return (*(torch.stack(parts, dim=1) for parts in zip(*heard.layers, strict=True)), heard.last)


class DenoiseGraph(Graph):
    """One evaluation of the network."""

    def __init__(self, fast: FastDenoiser) -> None:
        super().__init__()
        self.fast = fast
        shape = fast.shape
        motion: list[int | str] = ["B", shape.window, shape.motion_count]
        self.inputs: Shapes = {
            "noisy": motion,
            "step": ["B"],
            **_window_axes(shape, _BRANCHES, shape.window, shape.memory_count),
        }
        self.outputs: Shapes = {"guess": [_BRANCHES, *motion[1:]]}
        self.eval()

    def forward(self, noisy: Tensor, step: Tensor, indicator: Tensor, past_motion: Tensor, person: Tensor,
                found: Tensor, keys: Tensor, values: Tensor, last: Tensor) -> Tensor:  # fmt: skip
        heard = _heard(self.fast, found, keys, values, last)
        window = self.fast.open(person, past_motion, indicator, heard, is_kept=False)
        # a table of all steps would be a tenth of the file
        return self.fast.embedded(noisy, step, self.fast.denoiser.embedded(step), window)


class StrideGraph(Graph):
    """One evaluation of the distilled network. Memory is that of its teacher's graph."""

    def __init__(self, fast: FastStudent) -> None:
        super().__init__()
        self.fast = fast
        shape = fast.shape
        motion: list[int | str] = ["B", FRAMES, shape.motion_count]
        self.inputs: Shapes = {
            "noisy": motion,
            "here": ["B"],
            "there": ["B"],
            "scales": ["B", 2],
            "known": ["B", FRAMES],
            **_window_axes(shape, "B", FRAMES, SEEN),
        }
        self.outputs: Shapes = {"guess": motion}
        self.eval()

    def forward(self, noisy: Tensor, here: Tensor, there: Tensor, scales: Tensor, known: Tensor, indicator: Tensor,
                past_motion: Tensor, person: Tensor, found: Tensor, keys: Tensor, values: Tensor, last: Tensor
                ) -> Tensor:  # fmt: skip
        fast = self.fast.fast
        heard = _heard(fast, found, keys, values, last)
        window = fast.open(person, past_motion, indicator, heard, is_kept=False)
        guess: Tensor = self.fast(noisy, Stride(here, there, scales, known), window)
        return guess


class StyleGraph(Graph):
    """How a person moves, of four seconds of motion."""

    def __init__(self, encoder: StyleEncoder, shape: DenoiserShape) -> None:
        super().__init__()
        self.encoder = encoder
        self.inputs: Shapes = {"motion": ["B", STYLE_FRAMES, shape.motion_count]}
        self.outputs: Shapes = {"style": ["B", shape.style_count]}
        self.eval()

    def forward(self, motion: Tensor) -> Tensor:
        style: Tensor = self.encoder(motion)
        return style


def speech_graph(speech: nn.Module, width: int) -> Graph:
    """Hop by hop where speech is heard from left to right."""
    return HopSpeechGraph(speech, width) if isinstance(speech, CompactSpeech) else SpeechGraph(speech, width)


def export_graphs(
    model: DiffPoseTalk, style_encoder: StyleEncoder, folder: Path, student: Student | None = None
) -> dict[str, Graph]:
    """Write the graphs into `folder`, hold each to torch, and return them by file name.

    Raises `EngineError` where a file does not give what torch gives.
    """
    fast = FastDenoiser(model.denoiser)
    graphs: dict[str, Graph] = {
        SPEECH_GRAPH: speech_graph(model.speech, model.shape.width),
        MEMORY_GRAPH: MemoryGraph(fast),
        DENOISE_GRAPH: DenoiseGraph(fast),
        STYLE_GRAPH: StyleGraph(style_encoder, model.shape),
    }
    if student is not None:
        graphs[STRIDE_GRAPH] = StrideGraph(FastStudent(student))
    for name, graph in graphs.items():
        branches, window = 1 if name == STRIDE_GRAPH else 3, model.shape.window
        # what a short window needs beside a whole one has to be met when it is traced
        short = window // 3 if FRAMES in axes_of(graph) else window
        write_graph(graph, _example_for(graph, fast, 2, branches, 7, short), folder / name)
        for rows, frames in ((1, window), (2, (window + short) // 2)):
            check_graph(graph, folder / name, _example_for(graph, fast, rows, min(branches, 2), 12, frames))
    return graphs


@torch.no_grad()
def example(fast: FastDenoiser, rows: int, branches: int, frames: int, window: int) -> Mapping[str, Tensor]:
    """Inputs of all graphs by name: noise for `frames` of speech and for motion, windows of `window` frames that end
    anywhere.
    """
    shape = fast.shape
    random = torch.Generator().manual_seed(1000 * rows + 100 * branches + frames)

    def normal(*size: int) -> Tensor:
        return torch.randn(size, generator=random)

    ends = torch.randint(1, window + 1, (rows, 1), generator=random)
    past_audio, audio = normal(rows, shape.past, shape.width), normal(rows, window, shape.width)
    heard = fast.hear(past_audio.repeat(branches, 1, 1), audio.repeat(branches, 1, 1))
    found, keys, values = (torch.stack(parts, dim=1) for parts in zip(*heard.layers, strict=True))
    return {
        "waveform": normal(rows, FRAME_SAMPLES * frames),
        "past_audio": past_audio,
        "audio": audio,
        "noisy": normal(rows, window, shape.motion_count),
        "step": torch.randint(1, DIFFUSION_STEPS + 1, (rows,), generator=random),
        "here": torch.randint(DIFFUSION_STEPS // 2, DIFFUSION_STEPS + 1, (rows,), generator=random),
        "there": torch.randint(0, DIFFUSION_STEPS // 2, (rows,), generator=random),
        "scales": 2.0 * torch.rand(rows, 2, generator=random),
        "known": (torch.arange(window) < ends // 2).float(),
        "indicator": (torch.arange(window) < ends).float(),
        "past_motion": normal(rows, shape.past, shape.motion_count),
        "person": normal(branches * rows, shape.identity_count + shape.style_count),
        "found": found,
        "keys": keys,
        "values": values,
        "last": heard.last,
        "motion": normal(rows, STYLE_FRAMES, shape.motion_count),
    }


def axes_of(graph: Graph) -> set[int | str]:
    """Sizes and names of all axes of what `graph` is given."""
    return {axis for axes in graph.inputs.values() for axis in axes}


def _example_for(graph: Graph, fast: FastDenoiser, *sizes: int) -> Mapping[str, Tensor]:
    """The same with a state of `graph`, where it has one."""
    given = example(fast, *sizes)
    shapes = [(name, axes[1:]) for name, axes in graph.inputs.items() if name.startswith(STATE)]
    return {
        **given,
        **{name: torch.rand(len(given["waveform"]), *(int(axis) for axis in axes)) for name, axes in shapes},
    }


def _heard(fast: FastDenoiser, found: Tensor, keys: Tensor, values: Tensor, last: Tensor) -> HeardAudio:
    layers = (LayerAudio(found[:, n], keys[:, n], values[:, n]) for n in range(len(fast.denoiser.layers) - 1))
    return HeardAudio(tuple(layers), last)


def _window_axes(shape: DenoiserShape, rows: str, frames: int | str, seen: int | str) -> Shapes:
    """What an evaluation is told of its window; `rows` is the axis of what may differ between guidance branches."""
    return {
        "indicator": ["B", frames],
        "past_motion": ["B", shape.past, shape.motion_count],
        "person": [rows, shape.identity_count + shape.style_count],
        **_memory_axes(shape, rows, frames, seen),
    }


def _memory_axes(shape: DenoiserShape, rows: str, frames: int | str, seen: int | str) -> Shapes:
    layers, head = shape.layers - 1, shape.width // shape.heads
    return {
        "found": [rows, layers, seen, shape.width],
        "keys": [rows, layers, shape.heads, seen, head],
        "values": [rows, layers, shape.heads, seen, head],
        "last": [rows, frames, shape.width],
    }
