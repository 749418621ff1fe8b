"""Aligned phones of a clip in seconds, the ground that the metrics stand on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import SILENCE

FRAME_RATE = 50


@dataclass(frozen=True, eq=False)
class Segments:
    """N phones in order: `classes` int [N] (index into phones.CLASSES), `starts` and `ends` float [N] in seconds."""

    classes: NDArray[np.integer]
    starts: NDArray[np.floating]
    ends: NDArray[np.floating]

    def frame_classes(self, frames: int) -> NDArray[np.int64]:
        """Class at each instant 0, 20, 40 ... ms `[frames]`; silence outside all phones."""
        times = np.arange(frames) / FRAME_RATE
        place = np.searchsorted(self.starts, times, side="right") - 1
        inside = (place >= 0) & (times < self.ends[np.maximum(place, 0)])
        return np.where(inside, np.asarray(self.classes, np.int64)[np.maximum(place, 0)], SILENCE)
