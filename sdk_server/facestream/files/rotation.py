"""Quaternions to the yaw, pitch and roll of Live Link Face, and back."""

import numpy as np

from facestream.types import Float32


def angles_of(rotation: Float32) -> Float32:
    """Yaw, pitch, roll `[F, 3]` in radians of quaternions x y z w `[F, 4]`.

    The signs are those that recorded takes show for the eyes (engine-formats section 1.4): negative yaw turns to the
    subject's left, positive pitch down. The turn is yaw after pitch after roll; roll is positive about +Z.
    """
    x, y, z, w = rotation.astype(np.float64).T
    pitch = np.arcsin(np.clip(2.0 * (w * x - y * z), -1.0, 1.0))
    yaw = np.arctan2(2.0 * (x * z + w * y), 1.0 - 2.0 * (x * x + y * y))
    roll = np.arctan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z))
    return np.stack((-yaw, pitch, roll), axis=1).astype(np.float32)


def rotation_of(angles: Float32) -> Float32:
    """Quaternions x y z w `[F, 4]` of yaw, pitch, roll `[F, 3]`; the inverse of `angles_of`."""
    half = angles.astype(np.float64) / 2.0
    (sin_y, sin_x, sin_z), (cos_y, cos_x, cos_z) = np.sin(half * [-1.0, 1.0, 1.0]).T, np.cos(half).T
    return np.stack(
        (
            cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
            sin_y * cos_x * cos_z - cos_y * sin_x * sin_z,
            cos_y * cos_x * sin_z - sin_y * sin_x * cos_z,
            cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
        ),
        axis=1,
    ).astype(np.float32)
