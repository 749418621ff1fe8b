"""Whether a head keeps the beat: the moments at which it comes to rest between two moves.

Beats are the local minima of the head's angular speed (DiffPoseTalk specification, section 7.6; the paper does not
publish the tolerance, a deviation of three frames at 25 a second is taken here):

    BA = mean over beats b of  exp(-min over the other's beats b' of (b - b')^2 / (2 sigma^2))
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import argrelmin

SIGMA_FRAMES = 3.0


def beats_of(speed: NDArray[np.floating]) -> NDArray[np.intp]:
    """Frames [N] at which a `speed` [F] is less than just before and just after."""
    return np.asarray(argrelmin(speed)[0], np.intp)


def beat_scores(beats: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.float64]:
    """How near each of `beats` [N] is to one of the `others` [M], 0..1 [N]; 0 where there are no others."""
    if not len(others):
        return np.zeros(len(beats))
    distance = np.abs(beats[:, None] - others[None, :]).min(axis=1)
    return np.asarray(np.exp(-np.square(distance / SIGMA_FRAMES) / 2.0))
