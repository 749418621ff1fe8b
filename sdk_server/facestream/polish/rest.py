"""A calm mouth: shut while nobody speaks, and at rest when the audio has ended."""

import numpy as np

from facestream.curves import CURVE_COUNT, columns, sided
from facestream.polish.noise import Float64
from facestream.types import Float32

SURE_OF_SILENCE = (0.6, 0.95)
"""Silence probability at which calming begins, and at which it is complete."""
CALMING_S = 0.15
"""Time constant toward calm: longer than the closure of a plosive, which sounds like silence."""
WAKING_S = 0.02
DEAD_ZONE = 0.08
"""In full calm, openings up to this weight are held shut; a larger one is the mouth getting ready to speak."""

_HELD = np.zeros(CURVE_COUNT, np.float32)
_HELD[columns("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "tongueOut")] = DEAD_ZONE
_HELD[sided("mouthLowerDown", "mouthUpperUp")] = DEAD_ZONE


def calm_next(calm: Float32, silence: Float32, frame_s: Float64) -> Float32:
    """How calm the mouth is `[B]`, 0..1, given the last value and the probability of silence at this frame."""
    low, high = SURE_OF_SILENCE
    target = np.clip((silence - low) / (high - low), 0.0, 1.0)
    time_constant = np.where(target > calm, CALMING_S, WAKING_S)
    share = 1.0 - np.exp(-frame_s / time_constant)
    return np.asarray(calm + share * (target - calm), np.float32)


def hold_shut(weights: Float32, calm: Float32) -> None:
    """Take small openings out of `[B, C]` as far as `calm` `[B]` says, in place.

    Jaw and `mouthClose` give way by the same amount, so closed lips stay closed.
    """
    np.maximum(weights - calm[:, None] * _HELD, 0.0, out=weights)
