"""The two graphs of a deeptalk bundle on ONNX Runtime: one hears an emotion, one moves a face."""

from typing import NamedTuple

import numpy as np

from facestream.engines.base import ModelFacts
from facestream.engines.bundle import Bundle
from facestream.engines.graph_specs import check_session, graph_with
from facestream.engines.manifest import DeepTalkManifest
from facestream.engines.onnx import open_session, run_session
from facestream.errors import BundleError
from facestream.types import Float32

_HEAR = ({"pcm"}, {"mean", "log_variance"})
_MOVE = ({"pcm", "emotion", "actor", "top_noise", "bottom_noise"}, {"motion", "top", "bottom"})
_PHONE, _SEAL = "phone", "seal"


class Moved(NamedTuple):
    """Of `K` codes: `motion` [B, 4 K, 53], logits `top` [B, K, codes] and `bottom` [B, 2 K, codes], phone class
    probabilities [B, 4 K, P] (P is 0 where the graph has none), and how far the lips are to be shut, `seal` [B, 4 K]
    (`None` where it does not say).
    """

    motion: Float32
    top: Float32
    bottom: Float32
    phone: Float32
    seal: Float32 | None


class DeepTalkGraphs:
    """Made from a deeptalk bundle; several threads may use it at once."""

    def __init__(self, bundle: Bundle, thread_count: int = 1) -> None:
        manifest = bundle.manifest
        assert isinstance(manifest, DeepTalkManifest)
        self.model: ModelFacts = bundle.model
        self.manifest = manifest
        hear, move = (graph_with(bundle.folder, manifest.graphs, *wanted) for wanted in (_HEAR, _MOVE))
        self._move_outputs = ["motion", "top", "bottom", *(name for name in (_PHONE, _SEAL) if name in move.outputs)]
        if (_PHONE in move.outputs) != bool(manifest.phone_classes):
            raise BundleError(
                f"{bundle.folder}: found {len(manifest.phone_classes)} phone_classes and outputs "
                f"{sorted(move.outputs)}; expected classes with an output 'phone'; export the bundle again"
            )
        self._hear = open_session(bundle.folder / hear.file, thread_count)
        self._move = open_session(bundle.folder / move.file, thread_count)
        for session, graph in ((self._hear, hear), (self._move, move)):
            check_session(session, bundle.folder, graph)

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        """Emotion of speech `[B, 2560 K]`: mean and log-variance `[B, D]`. Raises `EngineError`."""
        mean, log_variance = run_session(self._hear, ["mean", "log_variance"], {"pcm": pcm})
        return mean, log_variance

    def move(
        self, pcm: Float32, emotion: Float32, speaker: Float32, top_noise: Float32, bottom_noise: Float32
    ) -> Moved:
        """Motion of `K` codes of speech.

        `pcm` `[B, 2560 K]`, `emotion` `[B, D]` of unit length, `speaker` `[B, speakers]` one-hot, noises
        `[B, K, codes]` and `[B, 2 K, codes]`: the code of the largest logit plus noise is taken. Raises `EngineError`.
        """
        given = {
            "pcm": pcm,
            "emotion": emotion,
            "actor": speaker,
            "top_noise": top_noise,
            "bottom_noise": bottom_noise,
        }
        made = dict(zip(self._move_outputs, run_session(self._move, self._move_outputs, given), strict=True))
        motion = made["motion"]
        phone = made.get(_PHONE, np.zeros((*motion.shape[:2], 0), np.float32))
        return Moved(motion, made["top"], made["bottom"], phone, made.get(_SEAL))
