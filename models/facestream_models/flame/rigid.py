"""Rotations: axis-angle to matrix, and the rigid motion between two point sets."""

import numpy as np

from facestream_models.flame.head import Float64


def rotation_matrix(axis_angle: Float64) -> Float64:
    """Rodrigues' formula: axis-angle [..., 3] in radians -> [..., 3, 3]."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    # sin(a)/a and (1 - cos(a))/a^2 without dividing by zero; numpy's sinc is sin(pi x)/(pi x).
    first, second = np.sinc(angle / np.pi), 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    x, y, z = axis_angle[..., 0], axis_angle[..., 1], axis_angle[..., 2]
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*axis_angle.shape[:-1], 3, 3)
    matrix: Float64 = np.eye(3) + first * cross + second * (cross @ cross)
    return matrix


def axis_angle(rotation: Float64) -> Float64:
    """Axis-angle [3] of a rotation [3, 3] of less than half a turn."""
    sine = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    angle = np.arctan2(np.linalg.norm(sine) / 2, (np.trace(rotation) - 1) / 2)
    result: Float64 = sine / 2 / np.sinc(angle / np.pi)
    return result


def rigid_motion(before: Float64, after: Float64) -> tuple[Float64, Float64]:
    """Rotation [3, 3] and translation [3] that best carry `before` to `after` [N, 3] (Kabsch)."""
    centre, moved = before.mean(axis=0), after.mean(axis=0)
    left, _, right = np.linalg.svd((before - centre).T @ (after - moved))
    upright = np.diag([1.0, 1.0, np.sign(np.linalg.det(right.T @ left.T))])
    rotation: Float64 = right.T @ upright @ left.T
    return rotation, moved - rotation @ centre
