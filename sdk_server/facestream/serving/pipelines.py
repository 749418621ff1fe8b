"""From the name of a model to its pipeline: the only place that knows which family needs what."""

from collections.abc import Iterable
from pathlib import Path

from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.choice import ONNX, Backend, EngineOptions, open_with
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.engines.manifest import DeepTalkManifest, DiffPoseTalkManifest, LiveManifest
from facestream.motion.base import MotionSource
from facestream.motion.bundle_profile import profile_of
from facestream.motion.deeptalk import DeepTalkMotion
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion
from facestream.motion.live import LiveMotion
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.engine_process import EngineProcess
from facestream.serving.helper_process import CAN_BE_STARTED
from facestream.serving.pipeline import Pipeline
from facestream.serving.shared_engine import SharedAnimator, SharedEngine, SharedEngines

ON_THE_CPU = EngineOptions(ONNX)


def open_pipeline(
    model: str = "live",
    *,
    extra_folders: Iterable[Path] = (),
    engine: EngineOptions = ON_THE_CPU,
    in_own_process: bool = False,
    shared: SharedEngines | None = None,
) -> Pipeline:
    """A pipeline for a model by name or folder, on the head that the model was made for.

    A model of the family `live` computes beside this process with `in_own_process` (`engine_process`); one that has an
    engine among those that are `shared` uses that.

    Raises `NotFound` for an unknown model, `EngineUnavailable` for an engine that can not work here, `EngineError` for
    a shared one that can not be reached, and `BundleError` for a bad bundle or one made for another head: its motion
    would mean other faces.
    """
    bundle = open_bundle(model, extra_folders)
    if shared is not None and model in shared.sockets:
        return Pipeline(SharedAnimator(SharedEngine(shared.sockets[model], shared.on_hang), _retargeter_of(bundle)))
    if in_own_process and CAN_BE_STARTED and can_compute_elsewhere(bundle):
        return Pipeline(EngineProcess(bundle.folder, engine))
    return Pipeline(animator_of(bundle, engine))


def animator_of(bundle: Bundle, engine: EngineOptions) -> Animator:
    """What animates a bundle in this process. Raises as `open_pipeline`."""
    source = open_with(engine, lambda backend: _source_of(bundle, backend))
    return Animator(source, _retargeter_of(bundle))


def can_compute_elsewhere(bundle: Bundle) -> bool:
    """Whether its steps may be another process's, perhaps several servers' together. Models that act stay with their
    server: their recordings take steps of their own beside live ones.
    """
    return isinstance(bundle.manifest, LiveManifest)


def _retargeter_of(bundle: Bundle) -> Retargeter:
    return Retargeter(profile_of(bundle), tuple(bundle.manifest.outputs.extras))


def _source_of(bundle: Bundle, backend: Backend) -> MotionSource:
    if isinstance(bundle.manifest, DeepTalkManifest):
        return DeepTalkMotion(DeepTalkGraphs(bundle, backend.open_graph))
    if isinstance(bundle.manifest, DiffPoseTalkManifest):
        return DiffPoseTalkMotion(DiffPoseTalkGraphs(bundle, backend.open_graph))
    return LiveMotion(backend.open_live(bundle))
