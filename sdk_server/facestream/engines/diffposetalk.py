"""The graphs of a diffposetalk bundle that make motion, and the small arrays beside them."""

import zipfile
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facestream.engines.base import BatchState, ModelFacts
from facestream.engines.bundle import Bundle
from facestream.engines.graph import Graph, OnnxGraph, OpenGraph
from facestream.engines.graph_specs import NEXT, STATE, graph_with, state_shapes
from facestream.engines.manifest import DiffPoseTalkManifest, GraphSpec
from facestream.errors import BundleError
from facestream.types import Float32

PHONE, SEAL = "phone", "seal"
_MEMORY = ("found", "keys", "values", "last")
_REMEMBER = ({"past_audio", "audio"}, {*_MEMORY})
_WINDOW = {"indicator", "past_motion", "person", *_MEMORY}
_DENOISE = ({"noisy", "step", *_WINDOW}, {"guess"})
_STRIDE = ({"noisy", "here", "there", "scales", "known", *_WINDOW}, {"guess"})
LATE_FRAMES = 1
"""A frame is heard in the sound of its own 40 ms and of the next; hearing that goes hop by hop gives it then."""
SILENT_FRAMES = 50
"""What silence sounds like to a model is heard in so many frames, in the middle."""


class Learned(NamedTuple):
    """What stands in for nothing: `start_motion` [P, D], `start_audio` [P, W], `null_style` [S], `null_audio` [W]."""

    start_motion: Float32
    start_audio: Float32
    null_style: Float32
    null_audio: Float32


class Heard(NamedTuple):
    """Of F frames: `features` [B, F, W], phone class probabilities [B, F, C] (C is 0 where the graph has none), and how
    far the lips are to be shut, `seal` [B, F] (`None` where it does not say).
    """

    features: Float32
    phone: Float32
    seal: Float32 | None

    def between(self, begin: int, end: int | None) -> "Heard":
        """Frames `begin` to `end`."""
        seal = None if self.seal is None else self.seal[:, begin:end]
        return Heard(self.features[:, begin:end], self.phone[:, begin:end], seal)


class Memory(NamedTuple):
    """What the layers hear in a window, whatever the step; arrays [B, ...] of the graphs alone."""

    found: Float32
    keys: Float32
    values: Float32
    last: Float32

    def rows(self, index: npt.NDArray[np.intp]) -> "Memory":
        """Rows by number: several branches may hear the same."""
        return Memory(*(part[index] for part in self))


class Stride(NamedTuple):
    """From step `here` to step `there`, int64 `[B]`, under `scales` `[B, 2]` of speech and style; `known` `[B, L]` is 1
    for frames that are finished.
    """

    here: npt.NDArray[np.int64]
    there: npt.NDArray[np.int64]
    scales: Float32
    known: Float32


class DiffPoseTalkGraphs:
    """Made from a diffposetalk bundle; several threads may use it at once."""

    def __init__(self, bundle: Bundle, open_graph: OpenGraph = OnnxGraph) -> None:
        manifest = bundle.manifest
        assert isinstance(manifest, DiffPoseTalkManifest)
        self.model: ModelFacts = bundle.model
        self.folder, self.manifest = bundle.folder, manifest
        hear = _hearing(bundle)
        remember, denoise = (graph_with(bundle.folder, manifest.graphs, *kind) for kind in (_REMEMBER, _DENOISE))
        self.hearing_states = state_shapes(bundle.folder, hear)
        """Shapes of what hearing carries from hop to hop, by name and without the row axis; none where it has to hear a
        clip as a whole."""
        self._heard_names = ["features", *(name for name in (PHONE, SEAL) if name in hear.outputs)]
        if (PHONE in hear.outputs) != bool(manifest.phone_classes):
            raise BundleError(
                f"{bundle.folder}: found {len(manifest.phone_classes)} phone_classes and outputs "
                f"{sorted(hear.outputs)}; expected classes with an output 'phone'; export the bundle again"
            )
        self._hear, self._remember, self._denoise = (open_graph(bundle, graph) for graph in (hear, remember, denoise))
        self._stride: Graph | None = None
        if manifest.distilled is not None:
            self._stride = open_graph(bundle, graph_with(bundle.folder, manifest.graphs, *_STRIDE))
        self.width = int(hear.outputs["features"][2])
        self.motion_count = int(denoise.inputs["noisy"][2])
        self.learned = self._read_learned()
        silent = np.zeros((1, SILENT_FRAMES * manifest.frame_samples), np.float32)
        self.silence: Float32 = self.hear(silent).features[0, SILENT_FRAMES // 2]
        """Features [W] of silence that lasts: what is heard where a window has no sound."""

    def hear(self, waveform: Float32) -> Heard:
        """What is heard in speech `[B, 640 F]` at 16 kHz that begins and ends here. Raises `EngineError`."""
        if not self.hearing_states:
            return self._listened(waveform, {})[0]
        fresh = {name: np.zeros((len(waveform), *shape), np.float32) for name, shape in self.hearing_states.items()}
        late = np.pad(waveform, ((0, 0), (0, LATE_FRAMES * self.manifest.frame_samples)))
        return self._listened(late, fresh)[0].between(LATE_FRAMES, None)

    def listen(self, waveform: Float32, state: BatchState) -> tuple[Heard, BatchState]:
        """What is heard in `[B, 640 H]` behind what `state` has heard (zeros where a stream begins), next state.

        Row h is of the frame that began `LATE_FRAMES` before it. Raises `EngineError`.
        """
        assert self.hearing_states, "a clip has to be heard as a whole"
        return self._listened(waveform, state)

    def _listened(self, waveform: Float32, state: BatchState) -> tuple[Heard, BatchState]:
        outputs = [*self._heard_names, *(NEXT + name for name in self.hearing_states)]
        found = self._hear.run(outputs, {"waveform": waveform, **state})
        heard = dict(zip(outputs, found, strict=True))
        features = heard["features"]
        phone = heard.get(PHONE, np.zeros((*features.shape[:2], 0), np.float32))
        following = {name: heard[NEXT + name] for name in self.hearing_states}
        return Heard(features, phone, heard.get(SEAL)), following

    def remember(self, past_audio: Float32, audio: Float32) -> Memory:
        """What windows hear of `audio` `[B, L, W]` behind `past_audio` `[B, P, W]`. Raises `EngineError`."""
        given = {"past_audio": past_audio, "audio": audio}
        return Memory(*self._remember.run([*_MEMORY], given))

    def guess(
        self,
        noisy: Float32,
        step: npt.NDArray[np.int64],
        indicator: Float32,
        past_motion: Float32,
        person: Float32,
        memory: Memory,
    ) -> Float32:
        """The clean motion `[G B, L, D]` in G branches.

        `noisy` `[B, L, D]` at `step` `[B]` behind `past_motion` `[B, P, D]`; `indicator` `[B, L]` is 1 for frames that
        are meant; `person` `[G B, I + S]` and `memory` have all rows of the first branch, then all of the next. Raises
        `EngineError`.
        """
        given = {
            "noisy": noisy,
            "step": step,
            "indicator": indicator,
            "past_motion": past_motion,
            "person": person,
            **memory._asdict(),
        }
        (guess,) = self._denoise.run(["guess"], given)
        return guess

    def guess_stride(
        self,
        noisy: Float32,
        stride: Stride,
        indicator: Float32,
        past_motion: Float32,
        person: Float32,
        memory: Memory,
    ) -> Float32:
        """The guess `[B, L, D]` that leads along `stride`, for a bundle with a distilled network.

        As `guess`, in one branch; frames that are known are finished in `noisy`. Raises `EngineError`.
        """
        assert self._stride is not None
        given = {
            "noisy": noisy,
            **stride._asdict(),
            "indicator": indicator,
            "past_motion": past_motion,
            "person": person,
            **memory._asdict(),
        }
        (guess,) = self._stride.run(["guess"], given)
        return guess

    def _read_learned(self) -> Learned:
        path, window = self.folder / self.manifest.learned, self.manifest.window
        expected = {
            "start_motion": (window.past, self.motion_count),
            "start_audio": (window.past, self.width),
            "null_style": (self.manifest.style_width,),
            "null_audio": (self.width,),
        }
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = {name: np.asarray(stored[name], np.float32) for name in expected}
            for name, shape in expected.items():
                if found[name].shape != shape or not np.isfinite(found[name]).all():
                    raise ValueError(f"{name} of shape {found[name].shape}, expected {shape}, finite")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{path}: found no vectors that can be used ({error}); export the bundle again"
            ) from error
        return Learned(**found)


def _hearing(bundle: Bundle) -> GraphSpec:
    """The graph that hears: of all clips as wholes, or hop by hop. Raises `BundleError`."""
    assert isinstance(bundle.manifest, DiffPoseTalkManifest)
    graphs = bundle.manifest.graphs
    states = {name for graph in graphs if "waveform" in graph.inputs for name in graph.inputs if name.startswith(STATE)}
    return graph_with(bundle.folder, graphs, {"waveform", *states}, {"features"})
