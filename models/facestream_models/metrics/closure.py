"""Whether the lips meet where they must, and stay open where they must."""

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import INDEX
from facestream_models.metrics.segments import FRAME_RATE, Segments

SHUT_GAP = 0.04
TOLERANCE_S = 0.030
OPEN_VOWELS = tuple(INDEX[name] for name in ("aa", "ae", "O", "E"))
SHORTEST_VOWEL_S = 0.070


def bilabial_closures(gap: NDArray[np.floating], segments: Segments) -> NDArray[np.bool_]:
    """For each p b m whether the smallest gap within the phone ± 30 ms is below 0.04; `gap` [F] at 50 Hz."""
    chosen = np.flatnonzero(np.asarray(segments.classes) == INDEX["PP"])
    return closures_within(gap, segments.starts[chosen] - TOLERANCE_S, segments.ends[chosen] + TOLERANCE_S)


def closures_within(
    gap: NDArray[np.floating], begin: NDArray[np.floating], finish: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """For each stretch `begin`..`finish` [N] in seconds whether `gap` [F] falls below 0.04 in it."""
    first = np.clip(np.ceil(np.asarray(begin) * FRAME_RATE - 1e-9).astype(int), 0, len(gap) - 1)
    last = np.clip(np.floor(np.asarray(finish) * FRAME_RATE + 1e-9).astype(int) + 1, first + 1, len(gap))
    return np.array([gap[a:b].min() < SHUT_GAP for a, b in zip(first, last, strict=True)], dtype=bool)


def false_closures(gap: NDArray[np.floating], segments: Segments) -> NDArray[np.bool_]:
    """For each open vowel (aa ae O E) longer than 70 ms whether the gap at its centre is below 0.04."""
    long_enough = segments.ends - segments.starts > SHORTEST_VOWEL_S
    chosen = np.isin(segments.classes, OPEN_VOWELS) & long_enough
    centres = (segments.starts[chosen] + segments.ends[chosen]) / 2
    frames = np.clip(np.rint(centres * FRAME_RATE).astype(int), 0, len(gap) - 1)
    return np.asarray(gap[frames] < SHUT_GAP)
