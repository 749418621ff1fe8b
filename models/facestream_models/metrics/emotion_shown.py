"""Which emotion a motion shows, by the classifier of single frames (`deeptalk.frame_emotion`).

A clip shows the emotion with the largest mean logit over its frames. What no classifier can tell (mild acts look
neutral, acts of two emotions have one label) bounds the measure: give the accuracy on the true motion beside it, and
that on motion that knows nothing of the emotion, which should be at chance.
"""

import numpy as np
from numpy.typing import NDArray


def emotion_shown(logits: NDArray[np.floating]) -> int:
    """The emotion of a clip from the `logits` [F, emotions] of its frames."""
    return int(logits.mean(axis=0).argmax())


def emotion_counts(shown: NDArray[np.integer], true: NDArray[np.integer], emotions: int) -> NDArray[np.int64]:
    """Clips [emotions, emotions] by their true (row) and shown (column) emotion."""
    counts = np.zeros((emotions, emotions), np.int64)
    np.add.at(counts, (true, shown), 1)
    return counts


def emotion_accuracy(counts: NDArray[np.int64]) -> float:
    """Share of clips that show their emotion, each emotion counting alike, however many clips it has."""
    recalls = emotion_recalls(counts)
    return float(recalls[~np.isnan(recalls)].mean())


def emotion_recalls(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of right clips of each emotion [emotions]; NaN for one without clips."""
    clips = counts.sum(axis=1)
    return np.where(clips > 0, np.diagonal(counts) / np.maximum(clips, 1), np.nan)
