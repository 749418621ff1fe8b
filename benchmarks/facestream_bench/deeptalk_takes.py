"""Figures on acted takes whose voices and texts training never saw.

Of each: the motion prior (what it loses), the emotion embedding (whether speech and faces of one emotion meet), and the
generator (which emotion its motion shows, how far it is from the take, what sampling changes). Every figure that could
be had without knowing anything has its control beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facestream_bench.deeptalk_motion import Actor, Face, Float32
from facestream_models.corpus.coarticulation import lip_gap
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.emotions import EMOTIONS, INTENSITIES
from facestream_models.deeptalk.audio import FRAME_RATE, FRAMES_PER_CODE, SAMPLE_RATE
from facestream_models.deeptalk.emotion_distance import retrieval_similarity
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian
from facestream_models.deeptalk.taught_motion import taught_motion
from facestream_models.metrics.closure import bilabial_closures
from facestream_models.metrics.code_use import code_use
from facestream_models.metrics.diversity import diversity_mm
from facestream_models.metrics.emotion_retrieval import retrieval
from facestream_models.metrics.emotion_shown import emotion_accuracy, emotion_counts, emotion_recalls, emotion_shown
from facestream_models.metrics.mesh_error import dynamics_deviation_mm, largest_error_mm, vertex_error_mm
from facestream_models.metrics.segments import Segments

Figures = dict[str, float]

LONGEST_FACE = 10 * FRAME_RATE
SHORT_S = 2.0
"""What the embedding is trained on."""


@dataclass(frozen=True, eq=False)
class Held:
    """A held-out take: `audio` [T], `motion` [F, 53] as training targets are."""

    audio: Float32
    motion: Float32
    segments: Segments
    emotion: int
    intensity: float

    @classmethod
    def of(cls, take: Take) -> "Held":
        said = take.utterance
        segments = Segments(said.classes.astype(np.int64), said.starts / SAMPLE_RATE, said.ends / SAMPLE_RATE)
        audio = said.audio.astype(np.float32) / 32768.0
        return cls(audio, taught_motion(take), segments, take.act.emotion, take.act.intensity)


def held_takes(takes: Iterable[Take], of_each: int) -> list[Held]:
    """The first `of_each` takes of every emotion, one emotion after the other."""
    by_emotion: list[list[Held]] = [[] for _ in EMOTIONS]
    for take in takes:
        kept = by_emotion[take.act.emotion]
        if len(kept) < of_each:
            kept.append(Held.of(take))
    return [held for kept in by_emotion for held in kept]


def count_takes(takes: Sequence[Held]) -> Figures:
    """How many takes all other figures are of, and of how many each emotion has at least."""
    each = np.bincount([take.emotion for take in takes], minlength=len(EMOTIONS))
    return {"count": float(len(takes)), "of_each_emotion": float(each.min())}


def score_prior(actor: Actor, face: Face, takes: Sequence[Held]) -> Figures:
    """Errors of reconstruction in mm, and how much of both codebooks is in use."""
    prior = actor.network.prior
    whole, lips, worst, top, bottom = [], [], [], [], []
    for take in takes:
        padded = np.pad(take.motion, ((0, -len(take.motion) % FRAMES_PER_CODE), (0, 0)), mode="edge")
        with torch.no_grad():
            made = prior(torch.from_numpy(padded)[None])
        ours, true = face.points(made.motion[0, : len(take.motion)].numpy()), face.points(take.motion)
        whole.append(vertex_error_mm(ours, true))
        lips.append(vertex_error_mm(ours[:, face.is_lip], true[:, face.is_lip]))
        worst.append(largest_error_mm(ours[:, face.is_lip], true[:, face.is_lip]))
        top.append(made.top_codes.flatten().numpy())
        bottom.append(made.bottom_codes.flatten().numpy())
    figures = {"face_mm": _mean(whole), "lips_mm": _mean(lips), "lip_vertex_error_mm": _mean(worst)}
    return figures | _use_of_codes(np.concatenate(top), np.concatenate(bottom), prior.shape.codes)


def score_embedding(actor: Actor, face: Face, takes: Sequence[Held], random: np.random.Generator) -> Figures:
    """Retrieval at rank 1 both ways; `shuffled` has the labels of the speech permuted, `short` hears 2 s."""
    emotions = np.array([take.emotion for take in takes])
    speech = _stacked([actor.hear(take.audio) for take in takes])
    short = _stacked([actor.hear(take.audio, SHORT_S) for take in takes])
    faces = _stacked([_emotion_of_face(face, take.motion) for take in takes])
    similarity = retrieval_similarity(speech, faces).numpy()
    own = np.eye(len(takes), dtype=np.bool_)
    count = len(EMOTIONS)
    forth = retrieval(similarity, emotions, emotions, count, own)
    figures = {"chance": forth.chance, "speech_to_face": forth.rank1, "times_chance": forth.rank1 / forth.chance}
    figures["face_to_speech"] = retrieval(similarity.T, emotions, emotions, count, own).rank1
    brief = retrieval_similarity(short, faces).numpy()
    figures["speech_to_face.short"] = retrieval(brief, emotions, emotions, count, own).rank1
    figures["speech_to_face.shuffled"] = retrieval(similarity, random.permutation(emotions), emotions, count, own).rank1
    return figures | _by_emotion("speech_to_face", forth.by_emotion)


def score_shown(face: Face, motions: Sequence[Float32], takes: Sequence[Held]) -> Figures:
    """Accuracy of the emotion that `motions` show, by emotion and by intensity."""
    shown = np.array([emotion_shown(face.emotion_logits(motion)) for motion in motions])
    true = np.array([take.emotion for take in takes])
    strength = np.array([take.intensity for take in takes])
    counts = emotion_counts(shown, true, len(EMOTIONS))
    figures = {"accuracy": emotion_accuracy(counts)} | _by_emotion("accuracy", emotion_recalls(counts))
    for intensity in INTENSITIES:
        some = np.isclose(strength, intensity)
        if some.any():
            counts = emotion_counts(shown[some], true[some], len(EMOTIONS))
            figures[f"accuracy.intensity_{intensity:.1f}"] = emotion_accuracy(counts)
    return figures


def score_likeness(face: Face, motions: Sequence[Float32], takes: Sequence[Held]) -> Figures:
    """Errors against the take, in mm, and how much less or more the upper face moves."""
    whole, lips, worst, upper = [], [], [], []
    for motion, take in zip(motions, takes, strict=True):
        ours, true = face.points(motion), face.points(take.motion)
        whole.append(vertex_error_mm(ours, true))
        lips.append(vertex_error_mm(ours[:, face.is_lip], true[:, face.is_lip]))
        worst.append(largest_error_mm(ours[:, face.is_lip], true[:, face.is_lip]))
        upper.append(dynamics_deviation_mm(ours[:, face.is_upper], true[:, face.is_upper], face.rest[face.is_upper]))
    return {
        "face_mm": _mean(whole),
        "lips_mm": _mean(lips),
        "lip_vertex_error_mm": _mean(worst),
        "upper_face_dynamics_deviation_mm": _mean(upper),
    }


def closure(face: Face, motions: Sequence[Float32], takes: Sequence[Held]) -> float:
    """Share of p b m in the takes at which the lips of `motions` meet."""
    found = [
        bilabial_closures(lip_gap(face.heard(motion, len(take.audio)).curves), take.segments)
        for motion, take in zip(motions, takes, strict=True)
    ]
    return float(np.concatenate(found).mean())


def score_presets(actor: Actor, face: Face, takes: Sequence[Held], presets: Mapping[str, Tensor]) -> Figures:
    """Whether motion shows the emotion of a preset [128] that is asked for, whatever emotion the take is in.

    Presets go round over the takes, so that each meets takes of every emotion.
    """
    names = list(presets)
    asked = [names[number % len(names)] for number in range(len(takes))]
    motions = [actor.move(take.audio, presets[name][None]).values for take, name in zip(takes, asked, strict=True)]
    wanted = [replace(take, emotion=EMOTIONS.index(name)) for take, name in zip(takes, asked, strict=True)]
    shown = score_shown(face, motions, wanted)
    return {name: value for name, value in shown.items() if "intensity" not in name} | {
        "accuracy_of_take": score_shown(face, motions, takes)["accuracy"],
        "closure": closure(face, motions, takes),
    }


def score_generator(actor: Actor, face: Face, takes: Sequence[Held], seeds: Sequence[int],
                    temperature: float, random: np.random.Generator) -> Figures:  # fmt: skip
    """Everything of the generator on `takes`; `borrowed` gives each take the emotion of a take of another emotion."""
    made = [actor.move(take.audio) for take in takes]
    motions, true = [one.values for one in made], [take.motion for take in takes]
    figures = {f"emotion.{name}": value for name, value in score_shown(face, motions, takes).items()}
    figures["emotion.true_motion.accuracy"] = score_shown(face, true, takes)["accuracy"]
    short = [actor.move(take.audio, actor.hear(take.audio, SHORT_S).mean).values for take in takes]
    figures["emotion.short.accuracy"] = score_shown(face, short, takes)["accuracy"]
    lenders = _lenders(takes, random)
    borrowed = [actor.move(take.audio, actor.hear(lender.audio).mean).values
                for take, lender in zip(takes, lenders, strict=True)]  # fmt: skip
    figures["emotion.borrowed.accuracy"] = score_shown(face, borrowed, lenders)["accuracy"]
    figures["emotion.borrowed.accuracy_of_own"] = score_shown(face, borrowed, takes)["accuracy"]
    figures |= {f"likeness.{name}": value for name, value in score_likeness(face, motions, takes).items()}
    use = _use_of_codes(np.concatenate([one.top for one in made]), np.concatenate([one.bottom for one in made]),
                        actor.network.shape.generator.codes)  # fmt: skip
    figures |= {f"codes.{name}": value for name, value in use.items()}

    samples = [[actor.move(take.audio, None, seed, temperature).values for take in takes] for seed in seeds]
    figures["closure.true_motion"] = closure(face, true, takes)
    figures["closure.argmax"] = closure(face, motions, takes)
    figures["closure.borrowed"] = closure(face, borrowed, takes)
    figures["closure.sampled"] = _mean([closure(face, sample, takes) for sample in samples])
    figures["closure.fall_points"] = 100.0 * (figures["closure.argmax"] - figures["closure.sampled"])
    points = [np.stack([face.points(motion) for motion in several]) for several in zip(*samples, strict=True)]
    figures["diversity.face_mm"] = _mean([diversity_mm(several) for several in points])
    for name, part in (("lips", face.is_lip), ("upper_face", face.is_upper)):
        figures[f"diversity.{name}_mm"] = _mean([diversity_mm(several[:, :, part]) for several in points])
    figures["diversity.samples"], figures["diversity.temperature"] = float(len(seeds)), temperature
    sampled = [score_shown(face, sample, takes)["accuracy"] for sample in samples]
    figures["emotion.sampled.accuracy"] = _mean(sampled)
    return figures


def _lenders(takes: Sequence[Held], random: np.random.Generator) -> list[Held]:
    """For each take one of another emotion."""
    return [
        others[int(random.integers(len(others)))]
        for take in takes
        for others in [[other for other in takes if other.emotion != take.emotion]]
    ]


@torch.no_grad()
def _emotion_of_face(face: Face, motion: Float32) -> EmotionGaussian:
    gaussian: EmotionGaussian = face.judges.emotion_of(torch.from_numpy(motion[:LONGEST_FACE])[None])
    return gaussian


def _stacked(gaussians: Sequence[EmotionGaussian]) -> EmotionGaussian:
    parts: list[Tensor] = [torch.cat(part) for part in zip(*gaussians, strict=True)]
    return EmotionGaussian(*parts)


def _use_of_codes(top: NDArray[np.integer], bottom: NDArray[np.integer], size: int) -> Figures:
    figures: Figures = {}
    for name, codes in (("top", top), ("bottom", bottom)):
        use = code_use(codes, size)
        figures |= {f"{name}.perplexity": use.perplexity, f"{name}.used": float(use.used), f"{name}.of": float(size)}
    return figures


def _by_emotion(name: str, values: NDArray[np.float64]) -> Figures:
    return {f"{name}.{emotion}": float(value) for emotion, value in zip(EMOTIONS, values, strict=True)
            if not np.isnan(value)}  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
