"""A compact bundle in miniature, with weights from a seed, through the real exporter."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from facestream.motion.diffposetalk.guidance import Guidance
from facestream.retarget.profile import load_profile
from facestream_models.corpus.phones import CLASSES
from facestream_models.diffposetalk.bundle import (
    CARD,
    DistilledStudent,
    Pieces,
    Sampling,
    System,
    Timing,
    write_bundle,
)
from facestream_models.diffposetalk.compact import COMPACT, ContentMap, NormalisedMotion, compact_model
from facestream_models.diffposetalk.heard_speech import LEVELS
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.student import Student
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from tests.live.tiny import TINY, tiny_network

NAME = "tiny-styles"
STYLES = ("calm", "lively", "stern")
STYLE_WIDTH = 16
STYLE_NORMS = (1.0, 5.0)
PIECES = Pieces(hop_frames=4, ahead_frames=2, known_frames=12, context_frames=8)
SHAPE = replace(COMPACT, window=24, past=4, width=32, layers=2, heads=2, hidden=32, style_count=STYLE_WIDTH)


def tiny_system(*, head_rotation: bool = True, seed: int = 0) -> System:
    """Networks whose faces stay within what heads can do."""
    with torch.random.fork_rng():
        live = tiny_network()
        torch.manual_seed(seed)
        shape = replace(SHAPE, head_rotation=head_rotation)
        model = DiffPoseTalk(shape, ContentMap(shape.width, TINY.width + 2 * len(CLASSES) + LEVELS))
        encoder = StyleEncoder(shape, legacy_positions=False).eval()
        with torch.no_grad():
            # livelier than fresh weights: styles and sounds must show
            model.denoiser.person.weight *= 8.0
            model.start_motion *= 0.3
            for layer in model.denoiser.layers:
                layer.self_attention.qkv.weight[-shape.width :] *= 4.0
                layer.cross_attention.out.weight *= 3.0
            model.denoiser.motion[2].weight *= 3.0
        space = NormalisedMotion(shape.motion_count)
        space.mean[-1], space.deviation[:] = 0.1, 0.3
        space.deviation[50:] = 0.1
        vectors = torch.nn.functional.normalize(torch.randn(len(STYLES), STYLE_WIDTH), dim=1) * STYLE_WIDTH**0.5
    styles = dict(zip(STYLES, vectors.numpy(), strict=True))
    return System(compact_model(model.eval(), live), encoder, space.statistics, styles, STYLE_NORMS)


def tiny_student(system: System) -> Student:
    """One that minds its aims and known frames, which a fresh one does not."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        student = Student(system.model.denoiser)
        student.aim[2].weight.normal_(std=0.6)
        student.known.normal_()
    return student.eval()


def distilled(system: System) -> System:
    """`system` with a student."""
    return system._replace(
        distilled=DistilledStudent(tiny_student(system), (1.0, 2.0), (0.0, 4.0), known_frames=6, beyond_frames=4)
    )


def write_tiny_diffposetalk(
    folder: Path, *, name: str = NAME, head_rotation: bool = True, seed: int = 0, has_student: bool = False,
    live_steps: int | None = None,
) -> Path:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text("tiny\n", encoding="utf-8")
    system = tiny_system(head_rotation=head_rotation, seed=seed)
    write_bundle(
        distilled(system) if has_student else system, folder,
        name=name, version="1.0", timing=Timing(False, 0), pieces=PIECES,
        sampling=Sampling("dpm-solver++", 3, Guidance(1.15, 2.0), live_steps), head_digest=load_profile().head_digest,
        licence="Apache-2.0", training={"seed": seed},
    )  # fmt: skip
    return folder


@cache
def tiny_folder(*, head_rotation: bool = True, has_student: bool = False) -> Path:
    """A bundle that all tests of a run share."""
    folder = tempfile.TemporaryDirectory()
    _FOLDERS.append(folder)
    name = NAME if head_rotation else f"{NAME}-still"
    return write_tiny_diffposetalk(Path(folder.name), name=name, head_rotation=head_rotation, has_student=has_student)


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []
