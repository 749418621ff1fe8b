"""Which of the 14 merged articulatory classes a frame is heard as."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import MERGED, MERGED_GROUPS, SILENCE

_MERGED = np.array(MERGED)


class Accuracy(NamedTuple):
    """Share of right frames among `speech` frames and among `all` frames."""

    speech: float
    all: float


def likeliest(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Class of each frame [F] for `probabilities` [F, 21]: the likeliest of the likeliest merged class.

    A merged class is as likely as its members together, so the single likeliest class may lose.
    """
    merged = np.zeros((len(probabilities), len(MERGED_GROUPS)))
    np.add.at(merged.T, _MERGED, np.asarray(probabilities, np.float64).T)
    inside = merged.argmax(axis=1)[:, None] == _MERGED
    return np.asarray(np.where(inside, probabilities, -1.0).argmax(axis=1), np.int64)


def confusion(heard: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.int64]:
    """Counts `[14, 14]` of frames by true (row) and heard (column) merged class; classes [F] index phones.CLASSES."""
    counts = np.zeros((len(MERGED_GROUPS), len(MERGED_GROUPS)), dtype=np.int64)
    np.add.at(counts, (_MERGED[truth], _MERGED[heard]), 1)
    return counts


def accuracy(counts: NDArray[np.int64]) -> Accuracy:
    """Accuracy from (summed) confusion counts; 0 where there are no such frames."""
    silence = MERGED[SILENCE]
    speech = np.delete(counts, silence, axis=0)
    right_speech = int(np.trace(counts)) - int(counts[silence, silence])
    return Accuracy(right_speech / max(1, int(speech.sum())), int(np.trace(counts)) / max(1, int(counts.sum())))
