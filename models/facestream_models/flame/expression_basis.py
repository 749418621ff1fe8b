"""Fifty expression components that explain what jaw and eye rotation leave of the ARKit shapes.

For each shape the jaw and eye rotations are known (arkit_shapes); taking the skinned rotation back leaves a
displacement in the neutral pose, the residual. The components are the left singular vectors of the residuals,
each scaled first to the same size so that a small shape (a squint) counts as much as a large one (a puff).
"""

from dataclasses import dataclass

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream_models.flame.head import Float64, Int64
from facestream_models.flame.rigid import rotation_matrix

_GAZE_WEIGHT = 0.5
"""51 shapes, 50 components: what is left out is looked for first among the lids of the gaze shapes, as the eyes'
rotation tells those anyway."""

_TYPICAL_WEIGHT = 0.25
"""A component is scaled so that independent ARKit weights of this spread give it unit variance."""


@dataclass(frozen=True)
class ExpressionBasis:
    """`dirs` [V, 3, E] orthogonal; `coefficients` [E, 52] of each full ARKit shape; `error` [52] RMS left over."""

    dirs: Float64
    coefficients: Float64
    error: Float64


def neutral_residuals(template: Float64, shapes: Float64, joints: Float64, skinning: Float64, pose: Float64) -> Float64:
    """Displacements [52, V, 3] which, posed by `pose` [52, J, 3], become `shapes` [52, V, 3].

    No joint here stands on a turned one (the neck is still), so skinning is a blend of turns about fixed points.
    """
    residuals = np.stack(
        [
            _unposed(template, template + shape, joints, skinning, turns)
            for shape, turns in zip(shapes, pose, strict=True)
        ]
    )
    # mouthClose is only ever worn on an open jaw: it is what closes the lips there, seen from the jaw's frame.
    opened, closing = INDEX["jawOpen"], INDEX["mouthClose"]
    shut = _unposed(template, template + shapes[opened] + shapes[closing], joints, skinning, pose[opened])
    residuals[closing] = shut - residuals[opened]
    return residuals


def _unposed(template: Float64, moved: Float64, joints: Float64, skinning: Float64, turns: Float64) -> Float64:
    """Displacement [V, 3] in the neutral pose of vertices that lie at `moved` [V, 3] once posed by `turns` [J, 3]."""
    rotations = rotation_matrix(turns)
    shift = joints - np.einsum("jab,jb->ja", rotations, joints)
    blend = np.einsum("vj,jab->vab", skinning, rotations)
    return np.asarray(np.linalg.solve(blend, (moved - skinning @ shift)[:, :, None])[:, :, 0] - template)


def fit_expression_basis(
    residuals: Float64, count: int, *, excluded: tuple[str, ...], face: Int64, unmoved: Int64
) -> ExpressionBasis:
    """Components of `residuals` [52, V, 3], orthogonal over the `face` vertices.

    What the components mean depends on skin and lips (`face`) alone; lashes and the inside of the mouth follow by
    the same combination of residuals. `excluded` shapes are left to extras; `unmoved` vertices (teeth, tongue,
    eyeballs: FLAME has none of them in its expressions) are moved by joints alone.
    """
    used = np.array([name not in excluded for name in ARKIT_NAMES])
    residuals = residuals * used[:, None, None]
    residuals[:, unmoved] = 0
    flat = residuals[:, face].reshape(CURVE_COUNT, -1)
    weight = np.array([_GAZE_WEIGHT if name.startswith("eyeLook") else 1.0 for name in ARKIT_NAMES])
    mix = weight / np.maximum(np.linalg.norm(flat, axis=1), 1e-9) * used
    left, values, right = np.linalg.svd(flat * mix[:, None], full_matrices=False)
    left, values, right = left[:, :count], values[:count], right[:count]
    signs = np.array([_sign(row) for row in right @ flat.T])
    right, left = right * signs[:, None], left * signs
    coefficients = right @ flat.T
    spread = _TYPICAL_WEIGHT * np.linalg.norm(coefficients, axis=1)
    # Component = combination of the residuals, on every vertex alike.
    combination = (mix[:, None] * left / values) * spread
    dirs = np.einsum("cva,ce->vae", residuals, combination)
    coefficients = coefficients / spread[:, None]
    error = residuals - np.einsum("vae,ec->cva", dirs, coefficients)
    rms = np.sqrt((error**2).sum(axis=2).mean(axis=1))
    return ExpressionBasis(dirs, coefficients, rms)


def _sign(coefficients: Float64) -> float:
    """A component's sign is free: its first large coefficient is positive (mirror twins are equally large)."""
    size = np.abs(coefficients)
    return float(np.sign(coefficients[np.argmax(size >= 0.9 * size.max())]))
