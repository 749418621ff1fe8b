"""Held-out takes, and how near to them a diffposetalk bundle comes: errors in mm, and how many motions it has.

A take is moved in the style of another take of the same speaker in the same emotion, which is all that the model is
told of who speaks. The control is motion for what somebody else says, in the same style: a model that heard nothing
would be as near with it. Many motions fit a take, so no model is meant to be at zero (specification, section 7.6).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facestream_bench.diffposetalk_mover import FACE, FRAME_RATE, Made, Mover
from facestream_bench.seen_face import Float32, SeenFace
from facestream_models.corpus.coarticulation import lip_gap
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.spoken_motion import spoken_motion
from facestream_models.metrics.accuracy import accuracy, confusion
from facestream_models.metrics.closure import bilabial_closures
from facestream_models.metrics.diversity import diversity_mm
from facestream_models.metrics.mesh_error import dynamics, largest_error_mm, vertex_error_mm
from facestream_models.metrics.segments import Segments

Figures = dict[str, float]

SAMPLE_RATE = 16_000
LEAST_FRAMES = 4 * FRAME_RATE
"""Of a take that a style can be made of."""
_INNER_LIPS = ("ibug_62", "ibug_66")
_TEN_MICROMETRES_A_MM = 100.0


@dataclass(frozen=True, eq=False)
class Held:
    """A held-out take: `audio` [T], its true motion, and the `style` that another take of the same kind has."""

    audio: Float32
    true: Made
    segments: Segments
    style: Float32

    @property
    def frames(self) -> int:
        return len(self.true.head)


def held_takes(takes: Iterable[Take], mover: Mover, count: int) -> list[Held]:
    """`count` takes, of every speaker and emotion in turn, that have a partner for their style.

    Raises ValueError where there are too few.
    """
    alike: dict[tuple[str, int], list[Take]] = defaultdict(list)
    for take in takes:
        if len(take.motion) >= LEAST_FRAMES:
            alike[take.speaker, take.act.emotion].append(take)
    pairs = [(one, other) for some in alike.values() for one, other in zip(some, some[1:] + some[:1], strict=True)
             if one is not other]  # fmt: skip
    if len(pairs) < count:
        raise ValueError(f"{len(pairs)} takes of 4 s or more have another one by their speaker in their emotion")
    chosen = np.linspace(0, len(pairs) - 1, count).round().astype(int)
    return [_held(one, mover.style(true_motion(other))) for one, other in (pairs[n] for n in chosen)]


def true_motion(take: Take) -> Made:
    """What the denoiser was taught of `take`: no blinks, no gaze, a jaw that only opens."""
    face = spoken_motion(take)
    face[:, FACE - 2 :] = 0.0
    return Made(face, take.head, np.zeros(0, np.intp))


def audio_of(take: Take) -> Float32:
    """Samples [T] in -1..1."""
    return take.utterance.audio.astype(np.float32) / 32768.0


def _held(take: Take, style: Float32) -> Held:
    said = take.utterance
    segments = Segments(said.classes.astype(np.int64), said.starts / SAMPLE_RATE, said.ends / SAMPLE_RATE)
    return Held(audio_of(take), true_motion(take), segments, style)


@dataclass(frozen=True, eq=False)
class Moved:
    """Takes as they were made: by `own` speech, in several `samples` of which `own` is the first, and by the speech of
    another take (`other`, of as many frames).
    """

    takes: Sequence[Held]
    own: Sequence[Made]
    samples: Sequence[Sequence[Made]]
    other: Sequence[Made]


def move_takes(mover: Mover, takes: Sequence[Held], seeds: Sequence[int]) -> Moved:
    """Every take with each of `seeds`."""
    samples, other = [], []
    for take, stranger in zip(takes, [*takes[1:], takes[0]], strict=True):
        styling = mover.styled(take.style)
        samples.append([mover.clip(take.audio, styling, seed) for seed in seeds])
        other.append(_cut(mover.clip(np.resize(stranger.audio, len(take.audio)), styling, seeds[0]), take.frames))
    samples = [[_cut(made, take.frames) for made in some] for some, take in zip(samples, takes, strict=True)]
    return Moved(takes, [some[0] for some in samples], samples, other)


def score_takes(face: SeenFace, moved: Moved) -> Figures:
    """Errors, dynamics, opening of the mouth, closures, diversity; what `face` reads off the lips, if it reads."""
    figures: Figures = {}
    for prefix, motions in (("", moved.own), ("other_speech.", moved.other)):
        found = [_likeness(face, made.face, take.true.face) for made, take in zip(motions, moved.takes, strict=True)]
        figures |= {prefix + name: float(np.mean([one[name] for one in found])) for name in found[0]}
    every = {"": moved.own, "other_speech.": moved.other, "true_motion.": [take.true for take in moved.takes]}
    for prefix, motions in every.items():
        figures[f"{prefix}closure"] = closure(face, motions, moved.takes)
        if face.reader is not None:
            figures[f"{prefix}accuracy"] = read(face, motions, moved.takes)
    return figures | _diversity(face, moved.samples)


def closure(face: SeenFace, motions: Sequence[Made], takes: Sequence[Held]) -> float:
    """Share of p b m in the takes at which the lips of bare motion meet, without the runtime's seal."""
    found = [bilabial_closures(lip_gap(face.curves(made.face, len(take.audio))), take.segments)
             for made, take in zip(motions, takes, strict=True)]  # fmt: skip
    return float(np.concatenate(found).mean())


def read(face: SeenFace, motions: Sequence[Made], takes: Sequence[Held]) -> float:
    """Share of the speech frames of the takes whose merged class is read off the lips of bare motion."""
    counts = []
    for made, take in zip(motions, takes, strict=True):
        classes = face.classes(made.face, len(take.audio))
        counts.append(confusion(classes, take.segments.frame_classes(len(classes))))
    return accuracy(np.sum(counts, axis=0)).speech


def _likeness(face: SeenFace, made: Float32, true: Float32) -> Figures:
    """LVE and MOD in mm, FDD in 1e-5 m as the papers have it (positive: moves less than the true one)."""
    ours, theirs = face.points(made), face.points(true)
    upper, rest = face.is_upper, face.rest[face.is_upper]
    less_mm = float((dynamics(theirs[:, upper], rest) - dynamics(ours[:, upper], rest)).mean())
    opened = [_opening_mm(face, motion) for motion in (made, true)]
    return {
        "lve_mm": largest_error_mm(ours[:, face.is_lip], theirs[:, face.is_lip]),
        "lips_mm": vertex_error_mm(ours[:, face.is_lip], theirs[:, face.is_lip]),
        "face_mm": vertex_error_mm(ours, theirs),
        "fdd_1e-5m": _TEN_MICROMETRES_A_MM * less_mm,
        "fdd_size_1e-5m": _TEN_MICROMETRES_A_MM * abs(less_mm),
        "mod_mm": float(np.abs(opened[0] - opened[1]).mean()),
    }


def _opening_mm(face: SeenFace, motion: Float32) -> NDArray[np.floating]:
    """Height [F] between the middles of the inner lips."""
    places = face.profile.landmarks_of(face.weights(motion))
    upper, lower = (face.profile.landmark_names.index(name) for name in _INNER_LIPS)
    return np.asarray(1000.0 * (places[:, upper, 1] - places[:, lower, 1]))


def _diversity(face: SeenFace, samples: Sequence[Sequence[Made]]) -> Figures:
    """Mean distance of two samples: of the points of face and lips, and of the head in degrees."""
    points = [np.stack([face.points(made.face) for made in some]) for some in samples]
    turned = [np.stack([np.degrees(made.head) for made in some])[:, :, None] for some in samples]
    return {
        "diversity.face_mm": float(np.mean([diversity_mm(some) for some in points])),
        "diversity.lips_mm": float(np.mean([diversity_mm(some[:, :, face.is_lip]) for some in points])),
        "diversity.head_deg": float(np.mean([diversity_mm(some) for some in turned])),
        "diversity.samples": float(len(samples[0])),
    }


def _cut(made: Made, frames: int) -> Made:
    return Made(made.face[:frames], made.head[:frames], made.seams[made.seams < frames])
