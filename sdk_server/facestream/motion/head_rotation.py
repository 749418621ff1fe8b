"""Rotation of the head as models move it, and as frames carry it.

Right-handed, +Y up, +Z out of the face, against the neutral head: a positive turn about +X nods down, about +Y turns to
the subject's left, about +Z tips towards the subject's right shoulder.
"""

import numpy as np

from facestream.types import Float32


def quaternions_of(axis_angle: Float32) -> Float32:
    """Quaternions x y z w [..., 4] of axis-angles [..., 3] in radians; the zero rotation exactly for zeros."""
    angle = np.linalg.norm(axis_angle, axis=-1, keepdims=True)
    share = np.where(angle > 1e-8, np.sin(angle / 2.0) / np.maximum(angle, 1e-8), 0.5)
    return np.concatenate([axis_angle * share, np.cos(angle / 2.0)], axis=-1).astype(np.float32)
