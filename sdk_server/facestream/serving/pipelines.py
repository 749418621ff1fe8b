"""From the name of a model to its pipeline: the only place that knows which family needs what."""

from collections.abc import Iterable
from pathlib import Path

from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.engines.manifest import DeepTalkManifest, DiffPoseTalkManifest
from facestream.engines.onnx import OnnxEngine
from facestream.motion.base import MotionSource
from facestream.motion.bundle_profile import profile_of
from facestream.motion.deeptalk import DeepTalkMotion
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion
from facestream.motion.live import LiveMotion
from facestream.retarget.solver import Retargeter
from facestream.serving.pipeline import Pipeline


def open_pipeline(model: str = "live", *, extra_folders: Iterable[Path] = (), thread_count: int = 1) -> Pipeline:
    """A pipeline for a model by name or folder, on the ONNX engine and the head that the model was made for.

    Raises `NotFound` for an unknown model, and `BundleError` for a bad bundle or one made for another head: its motion
    would mean other faces.
    """
    bundle = open_bundle(model, extra_folders)
    return Pipeline(
        _source_of(bundle, thread_count), Retargeter(profile_of(bundle), tuple(bundle.manifest.outputs.extras))
    )


def _source_of(bundle: Bundle, thread_count: int) -> MotionSource:
    if isinstance(bundle.manifest, DeepTalkManifest):
        return DeepTalkMotion(DeepTalkGraphs(bundle, thread_count))
    if isinstance(bundle.manifest, DiffPoseTalkManifest):
        return DiffPoseTalkMotion(DiffPoseTalkGraphs(bundle, thread_count))
    return LiveMotion(OnnxEngine(bundle, thread_count))
