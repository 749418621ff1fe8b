"""Whether motion has the style that was asked for, and more of it where more is asked.

Retrieval: a style is extracted from one stretch of a held-out speaker, motion is made in it for what *another* speaker
says, and the style of that motion is sought among those of all speakers. Chance is one in as many. `other_stretch` has
a gallery made of stretches that the model was not shown; beside it stands what the speaker's own true motion reaches
there, which bounds it. Controls: motion in the style of somebody else, and in nobody's. A model may have learned to
please its own style encoder; so a `judge` that no part of it has met sees the same motions too (`judged`).

Strength: each named style of the bundle is meant to have most, or least, of one trait (`NAMED` of the export), which
is measured on the curves and the head of what is made, at several strengths; 0 is nobody's style.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facestream.curves import INDEX
from facestream.style import mean_style
from facestream.types import EXPRESSION_COUNT
from facestream_bench.diffposetalk_mover import FACE, FRAME_RATE, Made, Mover
from facestream_bench.diffposetalk_takes import Figures, audio_of
from facestream_bench.seen_face import Float32, SeenFace
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.diffposetalk.stages.build import load_styles
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.export.diffposetalk import NAMED, RESTING_BROWS
from facestream_models.metrics.brows import raised_brows
from facestream_models.metrics.correlation import pearson

STRETCH_FRAMES, WINDOW_FRAMES = 8 * FRAME_RATE, 4 * FRAME_RATE
"""Of a stretch of a speaker, and of the least that the style encoder looks at."""
StyleOf = Callable[[Made], Float32]
"""The style [S] of four seconds of motion or more."""
STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)


class Speaker(NamedTuple):
    """A held-out speaker: `motion` of all takes one after the other, what they say (`audio` [T]), `traits` [10]."""

    motion: Made
    audio: Float32
    traits: NDArray[np.float32]

    def stretch(self, random: np.random.Generator, frames: int = STRETCH_FRAMES) -> Made:
        """Eight seconds, or so many frames, from anywhere."""
        first = int(random.integers(len(self.motion.head) - frames + 1))
        cut = slice(first, first + frames)
        return Made(self.motion.face[cut], self.motion.head[cut], np.zeros(0, np.intp))


def held_speakers(takes: Iterable[Take]) -> list[Speaker]:
    """Everyone who is heard for eight seconds or more, with takes in the order of the training's recordings."""
    by_name: dict[str, list[Take]] = defaultdict(list)
    for take in takes:
        by_name[take.speaker].append(take)
    speakers = []
    for own in by_name.values():
        motion = Recordings(own).motion()
        if len(motion) >= STRETCH_FRAMES:
            audio = np.concatenate([audio_of(take) for take in own])
            speakers.append(Speaker(_made(motion), audio, own[0].traits))
    return speakers


def _made(motion: Float32) -> Made:
    """Of what the denoiser is taught [F, 54]: expression, head, opening of the jaw."""
    face = np.zeros((len(motion), FACE), np.float32)
    face[:, :EXPRESSION_COUNT], face[:, EXPRESSION_COUNT] = motion[:, :EXPRESSION_COUNT], motion[:, -1]
    return Made(face, motion[:, EXPRESSION_COUNT:-1], np.zeros(0, np.intp))


class Stretches(NamedTuple):
    """Motions of one round, of every speaker: the stretch whose style was asked for, another true one, what was made
    in that style and in nobody's.
    """

    given: Sequence[Made]
    elsewhere: Sequence[Made]
    made: Sequence[Made]
    bare: Sequence[Made]


def score_retrieval(
    mover: Mover,
    speakers: Sequence[Speaker],
    rounds: int,
    random: np.random.Generator,
    frames: int = STRETCH_FRAMES,
    judge: StyleOf | None = None,
) -> Figures:
    """Rank 1 of cosine similarity, over `rounds` draws of stretches of `frames` and of as much of what is said.

    By the encoder of the model itself, and as `judged` by `judge`.
    """
    observers: dict[str, StyleOf] = {"": mover.style} if judge is None else {"": mover.style, "judged.": judge}
    hits: dict[str, list[NDArray[np.bool_]]] = defaultdict(list)
    for number in range(rounds):
        round_ = _stretches(mover, speakers, number, random, frames)
        for prefix, style_of in observers.items():
            given, elsewhere, made, bare = (np.stack([style_of(one) for one in motions]) for motions in round_)
            hits[f"{prefix}rank1"].append(_nearest(made, given))
            hits[f"{prefix}other_stretch.rank1"].append(_nearest(made, elsewhere))
            hits[f"{prefix}true_motion.rank1"].append(_nearest(elsewhere, given))
            hits[f"{prefix}shuffled.rank1"].append(_nearest(np.roll(made, 1, axis=0), given))
            hits[f"{prefix}no_style.rank1"].append(_nearest(bare, given))
    return {name: float(np.mean(found)) for name, found in hits.items()} | {"chance": 1.0 / len(speakers)}


def _stretches(
    mover: Mover, speakers: Sequence[Speaker], number: int, random: np.random.Generator, frames: int
) -> Stretches:
    count = len(speakers)
    given = [speaker.stretch(random, frames) for speaker in speakers]
    elsewhere = [speaker.stretch(random, frames) for speaker in speakers]
    said = [_said(speakers[(place + 1 + number) % count].audio, frames, random) for place in range(count)]
    made = [mover.clip(audio, mover.styled(mover.style(one)), seed=number)
            for audio, one in zip(said, given, strict=True)]  # fmt: skip
    return Stretches(given, elsewhere, made, [mover.clip(audio, seed=number) for audio in said])


def judge_in(runs: Path) -> StyleOf:
    """The encoder that stage `style` left in its folder under `runs`, looking at a motion each second of it."""
    network = load_styles(runs)

    def style_of(made: Made) -> Float32:
        motion = np.concatenate([made.face[:, :EXPRESSION_COUNT], made.head, made.face[:, EXPRESSION_COUNT, None]], 1)
        last = len(motion) - WINDOW_FRAMES
        starts = [*range(0, last, FRAME_RATE), last]
        with torch.no_grad():
            styles = network(torch.from_numpy(np.stack([motion[start : start + WINDOW_FRAMES] for start in starts])))
        return mean_style(styles.numpy())

    return style_of


def _said(audio: Float32, frames: int, random: np.random.Generator) -> Float32:
    samples = frames * 640
    first = int(random.integers(max(len(audio) - samples, 0) + 1))
    return np.resize(audio[first : first + samples], samples)


def _nearest(styles: Float32, gallery: Float32) -> NDArray[np.bool_]:
    """Whether the most similar of `gallery` [N, S] to each of `styles` [N, S] is that of the same number."""
    ours, theirs = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (styles, gallery))
    return np.asarray((ours @ theirs.T).argmax(axis=1) == np.arange(len(styles)))


def score_strength(
    mover: Mover, face: SeenFace, said: Sequence[Float32], names: Mapping[str, tuple[str, bool]] = NAMED
) -> Figures:
    """The trait of each style of `names` at each strength, and whether it always goes the way that is meant."""
    figures: Figures = {}
    ways = []
    for name, (trait, most) in names.items():
        found = []
        for strength in STRENGTHS:
            made = [mover.clip(audio, mover.named(name, strength), seed) for seed, audio in enumerate(said)]
            found.append(float(np.mean([MEASURES[trait](face, one) for one in made])))
            figures[f"{name}.{trait}.{strength:.1f}"] = found[-1]
        steps = np.diff(found) * (1.0 if most else -1.0)
        ways.append(bool((steps > 0.0).all()))
        figures[f"{name}.is_monotone"] = float(ways[-1])
    return figures | {"monotone_share": float(np.mean(ways))}


def score_measures(face: SeenFace, speakers: Sequence[Speaker]) -> Figures:
    """Correlation of what is measured on true motion with the traits the speakers were made with: whether the
    measures of strength measure what they say. Of a trait that takes only show there is nothing to compare.
    """
    traits = np.stack([speaker.traits for speaker in speakers])
    return {
        f"{trait}.r": pearson(
            np.array([measure(face, speaker.motion) for speaker in speakers]), np.log(traits[:, TRAITS.index(trait)])
            if trait != "smile_bias" else traits[:, TRAITS.index(trait)],
        )
        for trait, measure in MEASURES.items() if trait in TRAITS
    }  # fmt: skip


def _jaw(face: SeenFace, made: Made) -> float:
    """95th percentile of how far the jaw opens."""
    return float(np.percentile(face.weights(made.face)[:, INDEX["jawOpen"]], 95))


def _smile(face: SeenFace, made: Made) -> float:
    """Mean of smile less frown, both sides."""
    weights = face.weights(made.face)
    return float(sum(sign * weights[:, INDEX[f"mouth{shape}{side}"]].mean() / 2.0
                     for shape, sign in (("Smile", 1.0), ("Frown", -1.0)) for side in ("Left", "Right")))  # fmt: skip


def _brows(face: SeenFace, made: Made) -> float:
    """Deviation over time of the brows, raised less lowered."""
    return float(raised_brows(face.weights(made.face)).std())


def _resting_brows(face: SeenFace, made: Made) -> float:
    """How far they are raised on average."""
    return float(raised_brows(face.weights(made.face)).mean())


def _head(face: SeenFace, made: Made) -> float:
    """Deviation over time of the head's direction, in degrees."""
    del face
    return float(np.degrees(np.sqrt(np.square(made.head - made.head.mean(axis=0)).sum(axis=1).mean())))


MEASURES: Mapping[str, Callable[[SeenFace, Made], float]] = {
    "jaw_scale": _jaw, "smile_bias": _smile, "brow_gain": _brows, RESTING_BROWS: _resting_brows,
    "head_amplitude": _head,
}  # fmt: skip
