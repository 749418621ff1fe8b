"""Quaternions to the yaw, pitch and roll of Live Link Face, and back; what else is done with rotations."""

from math import asin, atan2

import numpy as np
import numpy.typing as npt

from facestream.curves import INDEX
from facestream.types import Float32, Frames

Float64 = npt.NDArray[np.float64]

_GAZE_YAW, _GAZE_DOWN, _GAZE_UP = 0.66, 0.61, 0.51
"""Radians of a full gaze shape (engine-formats section 1.4), for takes without eye rotations."""


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


def yaw_pitch_roll(rotation: Float32) -> tuple[float, float, float]:
    """`angles_of` of one quaternion [4], a tenth of the time that arrays take for so little."""
    x, y, z, w = rotation.tolist()
    pitch = asin(min(max(2.0 * (w * x - y * z), -1.0), 1.0))
    yaw = atan2(2.0 * (x * z + w * y), 1.0 - 2.0 * (x * x + y * y))
    return -yaw, pitch, atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z))


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


def rotations_of(frames: Frames) -> tuple[Float32, Float32, Float32]:
    """Head and eyes, quaternions [F, 4]; without a pose the head is still and the eyes follow the gaze shapes."""
    if frames.pose is not None:
        return frames.pose.head, frames.pose.left_eye, frames.pose.right_eye
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (frames.count, 1))
    left, right = (_gaze(frames.weights, side) for side in ("Left", "Right"))
    return still, left, right


def multiplied(first: Float64, second: Float64) -> Float64:
    """Quaternions x y z w: `first` [..., 4] after `second` [..., 4], broadcast."""
    vector, scalar = first[..., :3], first[..., 3:]
    other, real = second[..., :3], second[..., 3:]
    turned = scalar * other + real * vector + np.cross(vector, other)
    product: Float64 = np.concatenate([turned, scalar * real - (vector * other).sum(axis=-1, keepdims=True)], axis=-1)
    return product


def inverse(rotation: Float64) -> Float64:
    """The way back of unit quaternions x y z w [..., 4]."""
    back: Float64 = rotation * np.array([-1.0, -1.0, -1.0, 1.0])
    return back


def _gaze(weights: Float32, side: str) -> Float32:
    level = {way: weights[:, INDEX[f"eyeLook{way}{side}"]] for way in ("In", "Out", "Up", "Down")}
    # negative yaw turns to the subject's left, positive pitch down (`angles_of`)
    yaw = _GAZE_YAW * (level["In"] - level["Out"]) * (1 if side == "Left" else -1)
    pitch = _GAZE_DOWN * level["Down"] - _GAZE_UP * level["Up"]
    return rotation_of(np.stack([yaw, pitch, np.zeros_like(yaw)], axis=1).astype(np.float32))
