"""The motion that DEEPTalk is taught: what a take speaks with, smoothed along time."""

import numpy as np
from scipy.signal import savgol_filter

from facestream.types import Float32
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.spoken_motion import spoken_motion

_WINDOW, _ORDER = 5, 2


def taught_motion(take: Take) -> Float32:
    """Motion [F, 53] of `take` without what the runtime adds.

    Smoothing is the specification's (section 1.1: Savitzky-Golay, window 5, order 2); shorter takes stay as they are.
    """
    motion = spoken_motion(take)
    if len(motion) >= _WINDOW:
        motion = savgol_filter(motion, _WINDOW, _ORDER, axis=0)
    return np.asarray(motion, np.float32)
