"""Make a head's rig profile: exact for the open head, by projection for any other FLAME-format head."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.retarget.profile import (
    EXPRESSION_ROWS,
    EYE_ROWS,
    JAW_ROWS,
    PROFILE_FORMAT,
    RigProfile,
    load_profile,
    shipped_profile_path,
)  # fmt: skip
from facestream.types import EXPRESSION_COUNT
from facestream_models.flame.expression_basis import neutral_residuals
from facestream_models.flame.head import JAW, JOINT_COUNT, LEFT_EYE, RIGHT_EYE, Float64, Head, load_head, save_npz
from facestream_models.flame.open_head import EXTRAS
from facestream_models.flame.registration import Registration, register
from facestream_models.flame.rigid import rotation_matrix

_SMALL_TURN = 0.05
_MOVES = 1e-4
"""Metres; what no shape moves further than this is not counted as face."""

_JAW_TURNS = (("jawOpen", 0), ("jawLeft", 1), ("jawRight", 1))
_RIDGE = 1e-3
_EXPRESSION_COST = 0.05

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


def fit_rig_profile(
    head: Head,
    *,
    open_head: Head | None = None,
    open_profile: RigProfile | None = None,
    registration: Registration | None = None,
) -> RigProfile:
    """Profile of a head whose ARKit shapes are not known, for example a user's FLAME.

    The open head is registered onto it and its shapes carried over; the jaw angle of `jawOpen` (and of the slides) is
        the one that leaves least for the expression; what is left is projected on the head's own expression basis. A
    basis of fewer components is filled with zero rows. Extras stay with the open head's names: FLAME has no tongue.
    By default the shipped open head is used; a `registration` made before is not made again.
    """
    open_head = open_head or load_head(shipped_profile_path().with_name("open_head.npz"))
    open_profile = open_profile or load_profile()
    known = registration or register(open_head, head)
    shapes = known.arkit_dirs
    dirs = head.expression_dirs.astype(np.float64)[:, :, :EXPRESSION_COUNT]
    face = known.covered & (np.abs(shapes).max(axis=(0, 2)) > _MOVES)
    project = np.linalg.pinv(dirs[face].reshape(-1, dirs.shape[2]), rcond=_RIDGE)
    pose = _pose_rows(open_profile)
    for name, axis in _JAW_TURNS:
        pose[INDEX[name], JAW] = _best_turn(
            head, shapes[INDEX[name]], face, dirs, project, axis, pose[INDEX[name], JAW]
        )
    residuals = neutral_residuals(
        head.template.astype(np.float64), shapes, head.joints.astype(np.float64), head.skinning.astype(np.float64), pose
    )
    coefficients = np.zeros((EXPRESSION_COUNT, CURVE_COUNT))
    coefficients[: dirs.shape[2]] = project @ residuals[:, face].reshape(CURVE_COUNT, -1).T
    coefficients[:, [INDEX[name] for name in EXTRAS]] = 0
    dressed = replace(head, arkit_dirs=shapes.astype(np.float32), landmarks=_carried_landmarks(head, open_head, known))
    return make_profile(dressed, coefficients, pose)


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


def _pose_rows(profile: RigProfile) -> Float64:
    """Axis-angles [52, J, 3] of the full shapes in a profile."""
    pose = np.zeros((CURVE_COUNT, JOINT_COUNT, 3))
    pose[:, JAW] = profile.rows(JAW_ROWS).T
    pose[:, LEFT_EYE], pose[:, RIGHT_EYE] = profile.rows(EYE_ROWS[:3]).T, profile.rows(EYE_ROWS[3:]).T
    return pose


def _best_turn(
    head: Head, shape: Float64, face: np.ndarray, dirs: Float64, project: Float64, axis: int, first: Float64
) -> Float64:
    """Axis-angle [3] about one axis that leaves least of `shape` [V, 3] outside jaw and expression."""
    template, joint = head.template.astype(np.float64), head.joints[JAW].astype(np.float64)
    jaw = head.skinning[:, JAW].astype(np.float64)[:, None]
    flat = dirs[face].reshape(-1, dirs.shape[2])

    def left_over(angle: float) -> float:
        turn = rotation_matrix(np.eye(3)[axis] * angle)
        arm = template[face] - joint
        rest = (shape[face] - jaw[face] * (arm @ turn.T - arm)).ravel()
        # What little expression is needed counts too: a basis that holds the jaw's motion would make every angle fit.
        used = project @ rest
        return float(((rest - flat @ used) ** 2).sum() + _EXPRESSION_COST * ((flat @ used) ** 2).sum())

    limits = sorted((0.3 * first[axis], 1.7 * first[axis]))
    best = minimize_scalar(left_over, bounds=limits, method="bounded", options={"xatol": 1e-4})
    return np.asarray(np.eye(3)[axis] * float(best.x))


def _carried_landmarks(head: Head, open_head: Head, known: Registration) -> dict[str, int]:
    """The open head's landmarks on the vertices of another head that found their place nearest to them."""
    return {name: known.nearest[vertex] for name, vertex in open_head.landmarks.items() if vertex in known.nearest}


def _coefficient_weights(head: Head) -> np.ndarray:
    """RMS motion in millimetres of what the ARKit shapes of the mouth, cheeks, lids and brows move, per unit [D]."""
    assert head.arkit_dirs is not None
    moving = np.linalg.norm(head.arkit_dirs, axis=2).max(axis=0) > _MOVES
    if head.parts:
        moving &= np.isin(np.arange(head.vertex_count), head.part_vertices("skin", "lips"))
    fields = [
        head.expression_dirs[:, :, index] for index in range(min(EXPRESSION_COUNT, head.expression_dirs.shape[2]))
    ]
    fields += [np.zeros_like(head.template)] * (EXPRESSION_COUNT - len(fields))
    for joint in (JAW, LEFT_EYE, RIGHT_EYE):
        for axis in np.eye(3):
            turn = rotation_matrix(axis * _SMALL_TURN)
            arm = head.template - head.joints[joint]
            fields.append(head.skinning[:, joint, None] * (arm @ turn.T - arm) / _SMALL_TURN)
    fields += [head.arkit_dirs[ARKIT_NAMES.index(name)] for name in EXTRAS]
    return (np.array([_spread(field, moving) for field in fields]) * _METRES_TO_MM).astype(np.float32)


def _spread(field: np.ndarray, face: np.ndarray) -> float:
    """RMS of a displacement field [V, 3] over the face; over what it moves, where that is no skin (eyes, tongue)."""
    seen = field[face] if np.abs(field[face]).max() > 0 else field[np.abs(field).max(axis=1) > 0]
    return float(np.sqrt((seen**2).sum(axis=1).mean())) if len(seen) else 0.0
