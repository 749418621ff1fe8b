"""Whether the mouth is early or late."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facestream_models.metrics.correlation import pearson
from facestream_models.metrics.segments import FRAME_RATE

MAX_LAG_FRAMES = 10


def correlation_by_lag(
    predicted: Sequence[NDArray[np.floating]], reference: Sequence[NDArray[np.floating]]
) -> dict[int, float]:
    """Pooled r for each lag in frames, -10..10, over pairs of tracks [F]; a positive lag means that ours comes late."""
    found = {}
    for lag in range(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1):
        ours, theirs = [], []
        for a, b in zip(predicted, reference, strict=True):
            count = len(a) - abs(lag)
            if count > 1:
                ours.append(a[max(lag, 0) :][:count])
                theirs.append(b[max(-lag, 0) :][:count])
        found[lag] = pearson(np.concatenate(ours), np.concatenate(theirs))
    return found


def sync_offset_ms(predicted: Sequence[NDArray[np.floating]], reference: Sequence[NDArray[np.floating]]) -> float:
    """Lag in ms, on a 20 ms grid, at which `predicted` follows `reference` best; positive means late."""
    found = correlation_by_lag(predicted, reference)
    return max(found, key=lambda lag: found[lag]) * 1000.0 / FRAME_RATE


def fine_sync_offset_ms(predicted: Sequence[NDArray[np.floating]], reference: Sequence[NDArray[np.floating]]) -> float:
    """The same between the steps of the grid: the top of the parabola through the best lag and its two neighbours."""
    found = correlation_by_lag(predicted, reference)
    best = max(list(found)[1:-1], key=lambda lag: found[lag])
    before, top, after = (found[best + step] for step in (-1, 0, 1))
    bend = before - 2.0 * top + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return (best + float(np.clip(shift, -1.0, 1.0))) * 1000.0 / FRAME_RATE
