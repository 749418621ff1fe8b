"""What a network is asked to say about an utterance: classes, curves and contacts on the 50 Hz grid.

Frame j describes the instant 20j ms. The network's look-ahead is not applied here: training shifts the frames.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.coarticulation import SAMPLES_PER_FRAME, contacts, speech_curves
from facestream_models.corpus.phones import CLASSES
from facestream_models.corpus.store import Utterance

TEACHER_SHARE = 0.5
"""Where a teacher's posteriors exist, their share of the class target; the aligned transcript has the rest."""


class Targets(NamedTuple):
    """`classes` float32 [F, 21] (rows sum to 1), `curves` float32 [F, 15], `contacts` float32 [F, 2]."""

    classes: NDArray[np.float32]
    curves: NDArray[np.float32]
    contacts: NDArray[np.float32]


def targets_of(utterance: Utterance) -> Targets:
    """Targets at the F = ceil(T / 320) instants 0, 20, 40 ... ms of an utterance."""
    frames = -(-len(utterance.audio) // SAMPLES_PER_FRAME)
    segments = (utterance.classes, utterance.starts, utterance.ends)
    return Targets(
        soft_classes(utterance, frames),
        speech_curves(*segments, audio=utterance.audio, frames=frames),
        contacts(*segments, frames=frames),
    )


def soft_classes(utterance: Utterance, frames: int) -> NDArray[np.float32]:
    """Share of each class in the 20 ms around each instant `[F, 21]`, blended with a teacher's view if there."""
    covered = np.zeros((frames + 1, len(CLASSES)))
    # Cumulative share: how much of each class lies before every window edge.
    edges = (np.arange(frames + 1) - 0.5) * SAMPLES_PER_FRAME
    for label, start, end in zip(utterance.classes, utterance.starts, utterance.ends, strict=True):
        covered[:, label] += np.clip(edges, start, end) - start
    shares = np.diff(covered, axis=0)
    # Windows that reach over the ends of the audio are judged by the part inside.
    classes = shares / shares.sum(axis=1, keepdims=True)
    if utterance.posteriors is not None:
        # Row i is centred on 20i + 10 ms; an instant lies between two rows.
        after = utterance.posteriors[:frames].astype(np.float64)
        before = np.concatenate([after[:1], after[:-1]])
        taught = (before + after) / 2
        taught /= np.maximum(taught.sum(axis=1, keepdims=True), 1e-6)
        classes = (1 - TEACHER_SHARE) * classes + TEACHER_SHARE * taught
    return np.asarray(classes, dtype=np.float32)
