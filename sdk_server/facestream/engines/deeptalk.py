"""The graphs of a deeptalk bundle: one hears an emotion, one moves a face, one may hear the words."""

from typing import NamedTuple

from facestream.engines.base import BatchState, ModelFacts
from facestream.engines.bundle import Bundle
from facestream.engines.graph import Graph, OnnxGraph, OpenGraph
from facestream.engines.graph_specs import NEXT, graph_with, state_shapes
from facestream.engines.manifest import DeepTalkManifest
from facestream.errors import BundleError
from facestream.types import Float32

_HEAR = ({"pcm"}, {"mean", "log_variance"})
_ACTED, _MOVED = {"emotion", "actor", "top_noise", "bottom_noise"}, ["motion", "top", "bottom"]
_LISTENED = ["content", "phone"]


class Moved(NamedTuple):
    """Of `K` codes: `motion` [B, 4 K, 53], logits `top` [B, K, codes] and `bottom` [B, 2 K, codes]."""

    motion: Float32
    top: Float32
    bottom: Float32


class Words(NamedTuple):
    """Of `F` frames: what `move` takes of them, `content` [B, F, W]; and phone class probabilities at their instants
    and 20 ms on, `phone` [B, 2 F, P].
    """

    content: Float32
    phone: Float32


class DeepTalkGraphs:
    """Made from a deeptalk bundle; several threads may use it at once.

    `state_shapes` are those of what `listen` carries from hop to hop, by name and without the row axis, and
    `content_width` is the W of what it gives; where words are not heard from left to right there are none, and it is 0.
    """

    def __init__(self, bundle: Bundle, open_graph: OpenGraph = OnnxGraph) -> None:
        manifest = bundle.manifest
        assert isinstance(manifest, DeepTalkManifest)
        self.model: ModelFacts = bundle.model
        self.manifest = manifest
        listen = next((graph for graph in manifest.graphs if set(_LISTENED) <= set(graph.outputs)), None)
        self._speech = "pcm" if listen is None else "content"
        hear = graph_with(bundle.folder, manifest.graphs, *_HEAR)
        move = graph_with(bundle.folder, manifest.graphs, {self._speech, *_ACTED}, set(_MOVED))
        if (listen is not None) != bool(manifest.phone_classes):
            raise BundleError(
                f"{bundle.folder}: found {len(manifest.phone_classes)} phone_classes and graphs "
                f"{[graph.file for graph in manifest.graphs]}; expected classes with a graph that gives 'phone'; "
                "export the bundle again"
            )
        self.state_shapes = {} if listen is None else state_shapes(bundle.folder, listen)
        self.content_width = 0 if listen is None else int(listen.outputs["content"][-1])
        self._hear, self._move = open_graph(bundle, hear), open_graph(bundle, move)
        self._listen: Graph | None = None if listen is None else open_graph(bundle, listen)

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        """Emotion of speech `[B, 2560 K]`: mean and log-variance `[B, D]`. Raises `EngineError`."""
        mean, log_variance = self._hear.run(["mean", "log_variance"], {"pcm": pcm})
        return mean, log_variance

    def listen(self, pcm: Float32, state: BatchState) -> tuple[Words, BatchState]:
        """The words in `pcm` `[B, 640 H]` behind what `state` has heard (zeros where a stream begins), next state.

        Row h is of the frame that began one hop before it. Raises `EngineError`.
        """
        assert self._listen is not None, "nothing listens where `content_width` is 0"
        names = list(self.state_shapes)
        outputs = [*_LISTENED, *(NEXT + name for name in names)]
        content, phone, *following = self._listen.run(outputs, {"pcm": pcm, **state})
        return Words(content, phone), dict(zip(names, following, strict=True))

    def move(
        self, speech: Float32, emotion: Float32, speaker: Float32, top_noise: Float32, bottom_noise: Float32
    ) -> Moved:
        """Motion of `K` codes of speech.

        `speech` is the content of frames `[B, 4 K, W]`, or pcm `[B, 2560 K]` where nothing listens; `emotion` `[B, D]`
        of unit length, `speaker` `[B, speakers]` one-hot, noises `[B, K, codes]` and `[B, 2 K, codes]`: the code of the
        largest logit plus noise is taken. Raises `EngineError`.
        """
        given = {
            self._speech: speech,
            "emotion": emotion,
            "actor": speaker,
            "top_noise": top_noise,
            "bottom_noise": bottom_noise,
        }
        return Moved(*self._move.run(_MOVED, given))
