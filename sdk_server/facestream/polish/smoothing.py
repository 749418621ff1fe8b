"""Causal smoothing that calms jitter, follows large moves at once, and never opens a closure.

Curves that part the lips may fall freely and are smoothed only while they rise; curves that shut them may rise freely
and are smoothed only while they fall. The smoothed mouth is therefore never wider open than the one that came in, at
any frame, whatever the history: a closure of a single frame survives in full. A plain moving average opens it.
"""

import numpy as np
import numpy.typing as npt

from facestream.curves import CURVE_COUNT, columns, sided
from facestream.types import Float32

SLOW_S = 0.025
"""Time constant for the smallest moves; 0.045 shifted the gap of real speech by half a hop, this does not."""
FREE_MOVE = 0.02
"""A move of this size halves the time constant; one of 0.3 leaves 2 ms."""

OPENERS = [
    *columns("jawOpen", "jawForward", "mouthFunnel", "mouthShrugUpper"),
    *sided("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthDimple"),
]
"""Curves that part the lips: the gap of the open head grows with them, by 0.2 to 30 mm at full weight."""
CLOSERS = [
    *columns("mouthClose", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthPucker", "cheekPuff"),
    *sided("mouthPress", "mouthSmile"),
]
"""Curves that bring the lips together: the gap of the open head shrinks with them."""

_NEVER_DELAY_FALL = np.zeros(CURVE_COUNT, bool)
_NEVER_DELAY_FALL[OPENERS] = True
_NEVER_DELAY_RISE = np.zeros(CURVE_COUNT, bool)
_NEVER_DELAY_RISE[CLOSERS] = True


def smooth(weights: Float32, smoothed: Float32, strength: Float32, frame_s: npt.NDArray[np.float64]) -> Float32:
    """Next smoothed weights `[B, C]` from new and last smoothed ones; `strength` 0..1 and `frame_s` are `[B]`."""
    move = weights - smoothed
    slow = np.maximum(SLOW_S * strength, 1e-6)
    # exp(-frame / tau) with tau = slow / (1 + |move| / FREE_MOVE)
    rate = -(frame_s / slow).astype(np.float32)
    lag = np.exp(rate[:, None] * (1.0 + np.abs(move) * np.float32(1.0 / FREE_MOVE)))
    free = (_NEVER_DELAY_FALL & (move < 0.0)) | (_NEVER_DELAY_RISE & (move > 0.0))
    lag[free] = 0.0
    return np.asarray(weights - lag * move, np.float32)
