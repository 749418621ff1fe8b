"""Make a head's rig profile: exact for the open head, by projection for any other FLAME-format head."""

from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.retarget.profile import EXPRESSION_ROWS, EYE_ROWS, JAW_ROWS, PROFILE_FORMAT, RigProfile
from facestream.types import EXPRESSION_COUNT
from facestream_models.flame.head import JAW, LEFT_EYE, RIGHT_EYE, Float64, Head, save_npz
from facestream_models.flame.open_head import EXTRAS
from facestream_models.flame.rigid import rotation_matrix

_SMALL_TURN = 0.05
_MOVES = 1e-4
"""Metres; what no shape moves further than this is not counted as face."""

_METRES_TO_MM = 1000.0


def make_profile(head: Head, coefficients: Float64, pose: Float64) -> RigProfile:
    """Profile from known `coefficients` [E, 52] and joint axis-angles `pose` [52, J, 3] of each full shape."""
    if head.arkit_dirs is None:
        raise ValueError("a rig profile needs the head's ARKit shapes; register the open head onto it first")
    extras = np.zeros((len(EXTRAS), CURVE_COUNT))
    extras[np.arange(len(EXTRAS)), [INDEX[name] for name in EXTRAS]] = 1
    matrix = np.concatenate([coefficients, pose[:, JAW].T, pose[:, LEFT_EYE].T, pose[:, RIGHT_EYE].T, extras])
    names = sorted(head.landmarks)
    vertices = [head.landmarks[name] for name in names]
    return RigProfile(
        arkit_to_motion=matrix.astype(np.float32),
        row_names=(*EXPRESSION_ROWS, *JAW_ROWS, *EYE_ROWS, *EXTRAS),
        coefficient_weights=_coefficient_weights(head),
        landmark_names=tuple(names),
        landmark_neutral=head.template[vertices],
        landmark_dirs=np.ascontiguousarray(head.arkit_dirs[:, vertices].transpose(1, 2, 0)),
        head_digest=head.digest(),
    )


def save_profile(profile: RigProfile, path: Path) -> None:
    """Write the npz that `facestream.retarget.profile.load_profile` reads."""
    save_npz(
        {
            "format": np.array(PROFILE_FORMAT),
            "arkit_to_motion": profile.arkit_to_motion,
            "row_names": np.array(profile.row_names),
            "coefficient_weights": profile.coefficient_weights,
            "landmark_names": np.array(profile.landmark_names),
            "landmark_neutral": profile.landmark_neutral,
            "landmark_dirs": profile.landmark_dirs,
            "head_digest": np.array(profile.head_digest),
        },
        path,
    )


def _coefficient_weights(head: Head) -> np.ndarray:
    """RMS motion in millimetres of what the ARKit shapes of the mouth, cheeks, lids and brows move, per unit [D]."""
    assert head.arkit_dirs is not None
    moving = np.linalg.norm(head.arkit_dirs, axis=2).max(axis=0) > _MOVES
    if head.parts:
        moving &= np.isin(np.arange(head.vertex_count), head.part_vertices("skin", "lips"))
    fields = [head.expression_dirs[:, :, index] for index in range(EXPRESSION_COUNT)]
    for joint in (JAW, LEFT_EYE, RIGHT_EYE):
        for axis in np.eye(3):
            turn = rotation_matrix(axis * _SMALL_TURN)
            arm = head.template - head.joints[joint]
            fields.append(head.skinning[:, joint, None] * (arm @ turn.T - arm) / _SMALL_TURN)
    fields += [head.arkit_dirs[ARKIT_NAMES.index(name)] for name in EXTRAS]
    # Eyes and tongue are no skin: they count by what they move themselves.
    seen = [
        field[moving] if np.abs(field[moving]).max() > 0 else field[np.abs(field).max(axis=1) > 0] for field in fields
    ]
    rms = [np.sqrt((field**2).sum(axis=1).mean()) for field in seen]
    return (np.array(rms) * _METRES_TO_MM).astype(np.float32)
