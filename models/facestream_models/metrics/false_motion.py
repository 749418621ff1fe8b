"""Whether the mouth moves when nobody speaks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OPEN_GAP = 0.08


class FalseMotion(NamedTuple):
    """Of a gap track without speech: `mean`, 95th percentile `p95`, share of frames `open` beyond 0.08."""

    mean: float
    p95: float
    open: float


def false_motion(gap: NDArray[np.floating]) -> FalseMotion:
    """Judge `gap` [F] of a sound without speech."""
    return FalseMotion(float(gap.mean()), float(np.percentile(gap, 95)), float((gap > OPEN_GAP).mean()))
