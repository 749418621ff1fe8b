"""Fifty expression components that explain what jaw and eye rotation leave of the ARKit shapes.

For each shape the jaw and eye rotations are known (arkit_shapes); taking the skinned rotation back leaves a
displacement in the neutral pose, the residual. The components are the left singular vectors of the residuals,
each scaled first to the same size so that a small shape (a squint) counts as much as a large one (a puff).
"""

from dataclasses import dataclass

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream_models.flame.head import JOINT_COUNT, Float64, Int64
from facestream_models.flame.rigid import rotation_matrix

_GAZE_WEIGHT = 0.5
"""51 shapes, 50 components: what is left out is looked for first among the lids of the gaze shapes, which the eyes' rotation tells anyway."""

_TYPICAL_WEIGHT = 0.25
"""A component is scaled so that independent ARKit weights of this spread give it unit variance."""


@dataclass(frozen=True)
class ExpressionBasis:
    """`dirs` [V, 3, E] orthogonal; `coefficients` [E, 52] of each full ARKit shape; `error` [52] RMS left over."""

    dirs: Float64
    coefficients: Float64
    error: Float64


def neutral_residuals(template: Float64, shapes: Float64, joints: Float64, skinning: Float64, pose: Float64) -> Float64:
    """Displacements [52, V, 3] which, posed by `pose` [52, J, 3], become `shapes` [52, V, 3]."""
    residuals = np.empty_like(shapes)
    for index in range(CURVE_COUNT):
        rotations = rotation_matrix(pose[index])
        shift = joints - np.einsum("jab,jb->ja", rotations, joints)
        blend = np.einsum("vj,jab->vab", skinning, rotations)
        moved = template + shapes[index] - skinning @ shift
        residuals[index] = np.linalg.solve(blend, moved[:, :, None])[:, :, 0] - template
    assert pose.shape[1] == JOINT_COUNT
    return residuals


def fit_expression_basis(
    residuals: Float64, count: int, *, excluded: tuple[str, ...], unmoved: Int64
) -> ExpressionBasis:
    """Orthogonal components of `residuals` [52, V, 3].

    `excluded` shapes are left to extras; `unmoved` vertices (the tongue, which FLAME does not have) are moved by
    joints alone.
    """
    used = np.array([name not in excluded for name in ARKIT_NAMES])
    residuals = residuals.copy()
    residuals[:, unmoved] = 0
    flat = residuals.reshape(CURVE_COUNT, -1)
    size = np.linalg.norm(flat, axis=1)
    weight = np.array([_GAZE_WEIGHT if name.startswith("eyeLook") else 1.0 for name in ARKIT_NAMES])
    scaled = flat[used] * (weight / np.maximum(size, 1e-9))[used, None]
    left = np.linalg.svd(scaled, full_matrices=False)[2][:count]
    # A component's sign is free; the side with the larger third moment is called positive.
    left *= np.where((left**3).sum(axis=1) < 0, -1.0, 1.0)[:, None]
    coefficients = left @ flat.T
    coefficients[:, ~used] = 0
    spread = _TYPICAL_WEIGHT * np.linalg.norm(coefficients, axis=1)
    error = np.sqrt(((flat - coefficients.T @ left) ** 2).reshape(CURVE_COUNT, -1, 3).sum(axis=2).mean(axis=1))
    error[~used] = 0
    dirs = (left * spread[:, None]).reshape(count, -1, 3).transpose(1, 2, 0)
    return ExpressionBasis(dirs, coefficients / spread[:, None], error)
