"""A bundle from the released checkpoints, their statistics, and the user's FLAME where ARKit weights are wanted.

    two checkpoints -> read safely -> every key accounted for ──┐
    statistics -> plausible, of the size the weights have ──────┼─> four ONNX graphs, held to torch
    styles (NAME.npy) -> plausible ─────────────────────────────┘
    FLAME 2020 -> rig profile (how the 52 ARKit shapes look in its coefficients)
    -> folder with all of it, card.md, and manifest.json with the digest of each

None of the files may be passed on, and so the bundle may not be either: its card and manifest say it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from facestream.errors import BundleError
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.space import MotionStatistics, check_plausible
from facestream_models.diffposetalk.bundle import CARD, PROFILE, Pieces, Sampling, Styles, System, Timing, write_bundle
from facestream_models.diffposetalk.official_files import (
    DENOISER,
    STYLE_ENCODER,
    Published,
    read_published,
    read_styles,
)
from facestream_models.diffposetalk.official_weights import official_model, official_style_encoder, renamed_model
from facestream_models.diffposetalk.shape import FRAME_SAMPLES, DenoiserShape
from facestream_models.diffposetalk.style_encoder import released_norms
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from facestream_models.flame.licensed import load_flame
from facestream_models.flame.release import check_flame_2020
from facestream_models.flame.rig_profile import fit_rig_profile, save_profile
from facestream_models.released.folder import check_output, new_folder, sha256

TERMS = (
    "the released weights, statistics and styles carry no licence and derive from data given out on request for "
    "research; FLAME is under the Max Planck licence, non-commercial research only; neither these files nor a bundle "
    "made of them may be given to others"
)
LICENCE = "none stated; research use only, not to be redistributed"

PIECES = Pieces(context_frames=100)
"""The audio encoder was trained on 4 s; it hears as much behind as there is before."""
TIMING = Timing(normalised_audio=True, instant_samples=FRAME_SAMPLES // 2)
SAMPLING = Sampling("dpm-solver++", 25, Guidance())
"""The authors' guidance, but not their 500 ancestral steps: how far 25 are from those, real weights have to tell."""

_VERSION = "2024.4"

Say = Callable[[str], None]


class Sources(NamedTuple):
    """Files of the user; `styles` is a folder of NAME.npy, `flame` the user's FLAME 2020."""

    denoiser: Path
    style_encoder: Path
    statistics: Path
    styles: Path | None = None
    flame: Path | None = None


def convert(sources: Sources, output: Path, say: Say, speech: SpeechTransformerShape | None = None) -> Path:
    """Write the bundle folder `output` and return it; `say` gets a line for each thing found, dropped and done.

    `speech` is the size of the audio encoder, HuBERT-base unless told. Raises `InvalidValue` or `BundleError`, one
    clear line, and leaves nothing behind.
    """
    check_output(output)
    # Small files first: who lacks one of them learns it before half a gigabyte is read.
    statistics = MotionStatistics.from_file(sources.statistics)
    check_plausible(statistics, sources.statistics)
    say(f"{sources.statistics}: motion space {statistics.digest[:12]}")
    head = None
    if sources.flame is not None:
        head = load_flame(sources.flame)
        check_flame_2020(head, sources.flame)
        say(f"{sources.flame}: FLAME 2020, {head.vertex_count} vertices, head {head.digest()[:12]}")
    published_style = read_published(sources.style_encoder, STYLE_ENCODER)
    style_encoder = official_style_encoder(published_style.tensors, str(sources.style_encoder))
    say(f"{sources.style_encoder}: {len(published_style.tensors)} keys, all of them used")
    published = read_published(sources.denoiser, DENOISER)
    model = official_model(published.tensors, str(sources.denoiser), speech)
    dropped = renamed_model(published.tensors, str(sources.denoiser)).dropped
    kept = len(published.tensors) - sum(dropped.values())
    say(f"{sources.denoiser}: {len(published.tensors)} keys, {kept} of them used")
    for reason, count in dropped.items():
        say(f"  dropped {count:4d}: {reason}")
    _check_pair(style_encoder.enter.weight, model.shape, sources)
    styles: Styles = {}
    if sources.styles is not None:
        styles = read_styles(sources.styles, model.shape.style_count)
        say(f"{sources.styles}: styles {', '.join(styles)}")
    doubts = _doubts(published, published_style)
    for doubt in doubts:
        say(f"  doubtful: {doubt}")
    training = {
        **_origin("denoiser", sources.denoiser, published),
        **_origin("style_encoder", sources.style_encoder, published_style),
        "statistics": {"file": sources.statistics.name, "sha256": sha256(sources.statistics)},
        "dropped": dropped,
        "doubts": doubts,
    }
    del published, published_style
    with new_folder(output) as folder:
        if head is not None:
            save_profile(fit_rig_profile(head), folder / PROFILE)
            say(f"{PROFILE}: ARKit shapes carried over to this head")
        (folder / CARD).write_text(_card(model.shape, statistics, styles, doubts), encoding="utf-8")
        bundle = write_bundle(
            System(model, style_encoder, statistics, styles, released_norms(model.shape.style_count)), folder,
            name=_name(model.shape), version=_VERSION, timing=TIMING, pieces=_pieces(model.shape), sampling=SAMPLING,
            licence=LICENCE, head_digest=None if head is None else head.digest(), training=training,
        )  # fmt: skip
        say(f"{len(bundle.manifest.files)} files; graphs equal to torch")
    return output


def _name(shape: DenoiserShape) -> str:
    return "diffposetalk" if shape.head_rotation else "diffposetalk-still"


def _pieces(shape: DenoiserShape) -> Pieces:
    """Those of the released window, less where a window is smaller."""
    known = min(PIECES.known_frames, shape.window - PIECES.hop_frames - PIECES.ahead_frames)
    return PIECES._replace(known_frames=known)


def _check_pair(enters: Tensor, shape: DenoiserShape, sources: Sources) -> None:
    if enters.shape[1] != shape.motion_count:
        kinds = {True: "with head rotation", False: "without head rotation"}
        raise BundleError(
            f"{sources.style_encoder}: found a style encoder {kinds[not shape.head_rotation]}; expected one "
            f"{kinds[shape.head_rotation]}, as {sources.denoiser} is; give the pair that was released together"
        )


def _doubts(denoiser: Published, style_encoder: Published) -> list[str]:
    """What the files tell that nobody can settle without the authors."""
    named = denoiser.data_sets | style_encoder.data_sets
    if len(named) < 2:
        return []
    return [
        f"the checkpoints name several data sets ({', '.join(sorted(named))}), and the statistics tell none: styles "
        "may have been made with other numbers than these; compare a style that came with the model with one that "
        "this bundle extracts"
    ]


def _origin(kind: str, path: Path, published: Published) -> Mapping[str, Any]:
    return {
        kind: {
            "file": path.name,
            "sha256": sha256(path),
            "keys": len(published.tensors),
            "iteration": published.iteration,
        }
    }


def _card(shape: DenoiserShape, statistics: MotionStatistics, styles: Styles, doubts: list[str]) -> str:
    head = "and the rotation of the head, absolute" if shape.head_rotation else "no head rotation"
    named = ", ".join(styles) if styles else "none named; they are extracted from 4 s of motion"
    doubtful = "".join(f"* Doubtful: {doubt}.\n" for doubt in doubts)
    return f"""# {_name(shape)} (released weights, converted)

Speech to facial motion in the style of a reference clip: DiffPoseTalk, arXiv 2310.00434 (ACM TOG 43(4), 2024). Cite the
paper where results are shown.

**Terms.** {TERMS[0].upper()}{TERMS[1:]}.

* Output at 25 Hz: 50 FLAME expression coefficients, the opening of the jaw, {head}. No gaze, no eyelids of their own,
  no tongue; blinks are as strong as their labels were.
* Not causal: a window of {shape.window / 25:g} s is made at once, from noise, behind the last {shape.past} frames.
* Styles: {named}. A style belongs to motion space {statistics.digest[:12]}, which is that of the statistics file given
  with these weights.
* Sampled with {SAMPLING.steps} steps of {SAMPLING.sampler} unless asked otherwise. The authors take 500 ancestral
  steps; the difference has not been measured with these weights.
{doubtful}"""
