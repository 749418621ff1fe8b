"""A recorded face as any file tells it: when, and how it looked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facestream.types import Float32, Pose

LARGEST_WEIGHT = 1.2
"""Recorded gaze shapes go a little above 1; beyond this a file holds something else (percent, for example)."""


@dataclass(frozen=True, slots=True)
class RecordedFace:
    """Seconds `[F]` (of the day, where a file has the time of day), weights `[F, C]` in canonical order, rotations
    where there are any.
    """

    times_s: npt.NDArray[np.float64]
    weights: Float32
    pose: Pose | None
