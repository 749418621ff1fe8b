"""Agreement with lips measured from video."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream_models.metrics.closure import closures_within
from facestream_models.metrics.segments import FRAME_RATE
from facestream_models.metrics.sync import correlation_by_lag

WORD_ONSET_WINDOW_S = 0.120


class LipAgreement(NamedTuple):
    """Pooled `r` of gap and inner-lip distance at the best lag, and that lag in ms (positive: ours comes late)."""

    r: float
    lag_ms: float


def lip_agreement(gaps: Sequence[NDArray[np.floating]], lips: Sequence[NDArray[np.floating]]) -> LipAgreement:
    """Over clips: predicted gap [F] and measured inner-lip distance [F], both at 50 Hz."""
    found = correlation_by_lag(gaps, lips)
    best = max(found, key=lambda lag: found[lag])
    return LipAgreement(found[best], best * 1000.0 / FRAME_RATE)


def sealed_onsets(gap: NDArray[np.floating], onsets: NDArray[np.floating]) -> NDArray[np.bool_]:
    """For each word onset [N] in seconds, of words that begin with b or p, whether the lips meet within ± 120 ms."""
    return closures_within(gap, onsets - WORD_ONSET_WINDOW_S, onsets + WORD_ONSET_WINDOW_S)
