"""A style from a recording: `facestream style extract`.

take -> motion of the bundle's head at 25 frames a second -> normalised -> windows of four seconds -> style of each
-> the style amid them
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facestream.engines.diffposetalk_style import StyleGraph
from facestream.motion.diffposetalk.space import MotionSpace, MotionStatistics
from facestream.motion.reference_take import ReferenceMotion
from facestream.style import Style, mean_style
from facestream.types import Float32

_WINDOWS_APART = 25
"""Frames from the beginning of one window to that of the next: a second."""


def extract_style(encoder: StyleGraph, take: ReferenceMotion) -> Style:
    """The style of a take, of all its seconds. Raises `InvalidValue` for motion that is no one's, `EngineError`."""
    manifest, folder = encoder.manifest, encoder.bundle.folder
    space = MotionSpace(MotionStatistics.from_file(folder / manifest.statistics), manifest.head_rotation)
    motion = space.normalised(take.expression, take.pose)
    vector = mean_style(encoder.style(_windows(motion, encoder.frames)))
    style = Style(vector, encoder.space.model, encoder.space.digest)
    encoder.space.check(style)
    return style


def _windows(motion: Float32, frames: int) -> Float32:
    """Windows [K, frames, D] of `motion` [F, D], the last of them at its end."""
    last = len(motion) - frames
    starts = np.unique(np.append(np.arange(0, last + 1, _WINDOWS_APART), last))
    windows = sliding_window_view(motion, frames, axis=0)[starts].transpose(0, 2, 1)
    return np.ascontiguousarray(windows, np.float32)
