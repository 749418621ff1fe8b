"""What a diffposetalk bundle holds and says of itself, the same for the released weights and for our own.

speech.onnx, memory.onnx, denoise.onnx, style.onnx   see `graphs`; stride.onnx where there is a distilled network
statistics.npz   mean and deviation of motion and identity, under the names of the released file
learned.npz      start_motion [P, D], start_audio [P, W], null_style [S], null_audio [W]
styles.npz       names [K] and style [K, S], where there are named styles
rig_profile.npz  where the head is not the open one
card.md, manifest.json
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facestream.engines.bundle import Bundle
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.schedule import DIFFUSION_STEPS
from facestream.motion.diffposetalk.space import MotionStatistics
from facestream_models.corpus.phones import CLASSES
from facestream_models.diffposetalk.graphs import PHONE, SPEECH_GRAPH, export_graphs
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import FRAME_RATE, FRAME_SAMPLES
from facestream_models.diffposetalk.student import MOST_STEPS, Student
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.export.manifest import complete_bundle, files_of, graph_specs

PROFILE, CARD, STATISTICS, LEARNED, STYLES = (
    "rig_profile.npz",
    "card.md",
    "statistics.npz",
    "learned.npz",
    "styles.npz",
)
LEARNED_VECTORS = ("start_motion", "start_audio", "null_style", "null_audio")

Styles = Mapping[str, npt.NDArray[np.float32]]
"""Vectors [S] by name."""


class DistilledStudent(NamedTuple):
    """A student of the model's denoiser, the scales that it was taught, the one that it takes for speech unless asked
    otherwise, and how its live windows are filled; see `DistilledNetwork` of the manifest.
    """

    network: Student
    audio_scales: tuple[float, float]
    style_scales: tuple[float, float]
    audio_scale: float = 1.0
    known_frames: int = 10
    beyond_frames: int = 8


class System(NamedTuple):
    """Everything that makes motion: networks, the space of their motion, and named styles.

    `style_norms` are the least and largest norm that styles of real motion have.
    """

    model: DiffPoseTalk
    style_encoder: StyleEncoder
    statistics: MotionStatistics
    styles: Styles
    style_norms: tuple[float, float]
    distilled: DistilledStudent | None = None


class Timing(NamedTuple):
    """How audio meets motion: whether it is normalised first, and which of its 640 samples a frame describes."""

    normalised_audio: bool
    instant_samples: int


class Pieces(NamedTuple):
    """How much is made at a time, in frames; see `FramePieces` of the manifest."""

    hop_frames: int = 4
    ahead_frames: int = 2
    known_frames: int = 60
    context_frames: int = 48


class Sampling(NamedTuple):
    """How the model is sampled unless a caller says otherwise; `live_steps` where hops have time for fewer."""

    sampler: str
    steps: int
    guidance: Guidance
    live_steps: int | None = None

    def told(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {
            "sampler": self.sampler,
            "steps": self.steps,
            "live_steps": self.live_steps,
            "audio_scale": self.guidance.audio_scale,
            "style_scale": self.guidance.style_scale,
        }


def write_bundle(
    system: System,
    folder: Path,
    *,
    name: str,
    version: str,
    timing: Timing,
    pieces: Pieces,
    sampling: Sampling,
    head_digest: str | None,
    licence: str,
    training: dict[str, Any],
) -> Bundle:
    """Add graphs, arrays and manifest to `folder`, which has the card and may have a profile; open it as the runtime.

    The head's digest is `None` without a head: such a bundle gives motion but no ARKit weights. Raises `EngineError`
    where a graph is not equal to torch.
    """
    model, shape = system.model, system.model.shape
    student = system.distilled
    graphs = export_graphs(model, system.style_encoder, folder, None if student is None else student.network)
    np.savez(folder / STATISTICS, **asdict(system.statistics))
    learned = {key: getattr(model, key).detach()[0].squeeze(0).numpy() for key in LEARNED_VECTORS}
    np.savez(folder / LEARNED, **learned)
    if system.styles:
        np.savez(folder / STYLES, names=np.array(list(system.styles)), style=np.stack(list(system.styles.values())))
    files = files_of(folder)
    return complete_bundle(
        folder,
        family="diffposetalk",
        name=name,
        version=version,
        motion_rate=FRAME_RATE,
        extras=(),
        phone_classes=CLASSES if PHONE in graphs[SPEECH_GRAPH].outputs else (),
        head_digest=head_digest,
        licence=licence,
        training=training,
        graphs=graph_specs(graphs),
        frame_samples=FRAME_SAMPLES,
        **timing._asdict(),
        window={"frames": shape.window, "past": shape.past},
        pieces=pieces._asdict(),
        diffusion_steps=DIFFUSION_STEPS,
        sampling=sampling.told(),
        distilled=None
        if student is None
        else {
            "most_steps": MOST_STEPS,
            "audio_scales": list(student.audio_scales),
            "style_scales": list(student.style_scales),
            "audio_scale": student.audio_scale,
            "known_frames": student.known_frames,
            "beyond_frames": student.beyond_frames,
        },
        head_rotation=shape.head_rotation,
        identity_width=shape.identity_count,
        style_width=shape.style_count,
        style_norms=list(system.style_norms),
        statistics=STATISTICS,
        motion_space=system.statistics.digest,
        learned=LEARNED,
        styles=STYLES if STYLES in files else None,
        profile=PROFILE if PROFILE in files else None,
    )
