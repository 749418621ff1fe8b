"""Writes the compact diffposetalk bundle from the folders in which its stages were trained.

    python -m facestream_models.export.diffposetalk --runs RUNS --data TAKES --card CARD.md --out FOLDER

RUNS holds the folders `live`, `style`, `denoiser`, where heads have gains of their own `trust`, and, where few steps
shall be possible, `student`, as `facestream-train` leaves them. Named styles lie amid those of the speakers in
TAKES/train who have most, or least, of a trait. The same runs and takes give the same bytes.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facestream.engines.bundle import Bundle
from facestream.errors import InvalidValue
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.retarget.profile import load_profile
from facestream.style import mean_style
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.diffposetalk.bundle import (
    CARD,
    DistilledStudent,
    Pieces,
    Sampling,
    Styles,
    System,
    Timing,
    write_bundle,
)
from facestream_models.diffposetalk.compact import compact_model
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.build import load_denoiser, load_head_trust, load_student, load_styles
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.style import StyleNetwork
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES
from facestream_models.export.manifest import check_replaceable, cleared
from facestream_models.export.onnx import round_to_half
from facestream_models.live.weights import load_network
from facestream_models.metrics.brows import raised_brows
from facestream_models.training.run import WEIGHTS

NAME = "diffposetalk-compact"
TIMING = Timing(normalised_audio=False, instant_samples=0)
"""The trunk of `live` takes sound as it is; takes describe the instant at which a frame begins."""
SAMPLING = Sampling("dpm-solver++", 16, Guidance(1.5, 1.5), live_steps=8)
"""As few steps as lead near enough to where 500 do, and live what a hop has time for.

With both scales alike what is heard without a style has a weight of 0: styles take two branches, as with an audio scale
of 1, at which .475 of the classes were read off the lips where 1.5 has .508 and `live` .495 (40 prompts, 2026-11-22).
At this style scale styles were found again best: of faces that training had left out, on its voices, .73, .80, .74 and
.65 of 80 windows at 1, 1.5, 2 and 3, and .76, .83, .85 and .83 by a judge that the network never met (2026-11-21; of
the weights before those that ship)."""

RESTING_BROWS = "resting_brows"
"""How far brows are raised on average; takes do not tell this trait, they show it."""

NAMED: Mapping[str, tuple[str, bool]] = {
    "still": ("head_amplitude", False),
    "nodding": ("head_amplitude", True),
    "reserved": ("jaw_scale", False),
    "open": ("jaw_scale", True),
    "stern": ("smile_bias", False),
    "smiling": ("smile_bias", True),
    "deadpan": ("brow_gain", False),
    "raised-brows": (RESTING_BROWS, True),
}
"""Style -> trait of the corpus' speakers, and whether those with most of it are meant.

Of brows a style says where they rest, which follows the truth with r .75 over 60 speakers, and next to nothing of how
lively they are (r .15): amid speakers with most `brow_gain` lay a style of no brows in particular (2026-11-22)."""

SPEAKERS_A_STYLE, _ONE_IN = 4, 48
"""At least, and of many: enough that what else marks one of them is lost among the others."""
WINDOWS_A_SPEAKER = 8
_NORM_ROOM = 0.8
"""Styles of real recordings may be a little shorter or longer than those of the training takes."""


class SpeakerStyles(NamedTuple):
    """Of N speakers: styles of their windows [N, K, S] and traits [N, T + 1], the last of which is `RESTING_BROWS`."""

    styles: NDArray[np.float32]
    traits: NDArray[np.float32]

    @property
    def norms(self) -> tuple[float, float]:
        """Least and largest norm that a style shall have."""
        norms = np.linalg.norm(self.styles, axis=2)
        return float(norms.min()) * _NORM_ROOM, float(norms.max()) / _NORM_ROOM

    def named(self) -> Styles:
        """The styles of `NAMED`."""
        own = np.stack([mean_style(windows) for windows in self.styles])
        count = max(SPEAKERS_A_STYLE, len(own) // _ONE_IN)
        found = {}
        for name, (trait, most) in NAMED.items():
            order = np.argsort(self.traits[:, (*TRAITS, RESTING_BROWS).index(trait)], kind="stable")
            found[name] = mean_style(own[order[-count:] if most else order[:count]])
        return found


def load_compact(runs: Path) -> tuple[DiffPoseTalk, StyleNetwork, dict[str, Any]]:
    """The model that the stages in `runs` make, its styles, and what the last stage tells of its training.

    Raises FileNotFoundError naming a stage that is not there.
    """
    trained, last = load_denoiser(runs)
    model = compact_model(trained, load_network(runs / "live" / WEIGHTS))
    model.denoiser.head_trust = load_head_trust(runs, trained)
    told = {name: value for name, value in last["facts"].items() if name != "shape"}
    return model, load_styles(runs), {"stage": "denoiser", "step": last["step"], **told}


def load_distilled(runs: Path) -> tuple[DistilledStudent | None, dict[str, Any]]:
    """The student in `runs`, if there is one, and what is told of its training.

    Raises ValueError for one that learned from other weights than the denoiser's.
    """
    if not (runs / "student" / WEIGHTS).exists():
        return None, {}
    student, stored = load_student(runs, load_denoiser(runs)[0])
    speech, style = (
        (float(least), float(most)) for least, most in (stored["facts"][f"{of}_scales"] for of in ("audio", "style"))
    )
    return DistilledStudent(student, speech, style), {"student_step": stored["step"]}


@torch.no_grad()
def speaker_styles(network: StyleNetwork, data: Path) -> SpeakerStyles:
    """Styles of the speakers of `data`. Raises ValueError where nobody moves for four seconds."""
    takes = list(iterate_takes(data, load_profile().head_digest))
    traits, brows = {take.speaker: take.traits for take in takes}, defaultdict(list)
    for take in takes:
        brows[take.speaker].append(raised_brows(take.curves).mean())
    recordings = Recordings(takes)
    numbers = recordings.long_enough(STYLE_FRAMES)
    if not numbers:
        raise ValueError(f"{data}: no speaker has {STYLE_FRAMES} frames; generate more takes")
    random = np.random.default_rng(0)
    styles = []
    for number in numbers:
        places = [(number, recordings.random_place(number, STYLE_FRAMES, random)) for _ in range(WINDOWS_A_SPEAKER)]
        styles.append(network(recordings.cut(places, STYLE_FRAMES).motion).numpy())
    names = [recordings.speakers[number] for number in numbers]
    shown = np.stack([np.append(traits[name], np.float32(np.mean(brows[name]))) for name in names])
    return SpeakerStyles(np.stack(styles), shown)


def export(runs: Path, data: Path, folder: Path, *, card: str, version: str, sampling: Sampling = SAMPLING) -> Bundle:
    """Write the bundle in place of what `folder` holds; open it as the runtime would.

    Raises `EngineError` where a graph is not equal to torch.
    """
    model, styles, training = load_compact(runs)
    distilled, told = load_distilled(runs)
    for network in (model, styles.encoder, *([] if distilled is None else [distilled.network])):
        round_to_half(network)  # large weights are stored in half the bytes
    known = speaker_styles(styles, data / "train")
    cleared(folder)
    (folder / CARD).write_text(card, encoding="utf-8")
    system = System(model, styles.encoder, styles.space.statistics, known.named(), known.norms, distilled)
    return write_bundle(
        system,
        folder,
        name=NAME,
        version=version,
        timing=TIMING,
        pieces=Pieces(),
        sampling=sampling,
        head_digest=load_profile().head_digest,
        licence="Apache-2.0",
        training=training | told,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder that holds a folder for each stage")
    parser.add_argument("--data", type=Path, required=True, help="folder of the acted takes: styles come from train/")
    parser.add_argument("--card", type=Path, required=True, help="the model card, in Markdown")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1.0")
    arguments = parser.parse_args()
    try:
        check_replaceable(arguments.out)
    except InvalidValue as error:
        parser.error(str(error))
    card = arguments.card.read_text(encoding="utf-8")
    bundle = export(arguments.runs, arguments.data, arguments.out, card=card, version=arguments.version)
    size = sum(path.stat().st_size for path in bundle.folder.iterdir())
    print(f"{bundle.folder}: {bundle.manifest.name} {bundle.manifest.version}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
