"""Joints and skinning of the open head, read off its own shapes.

The jaw's pivot is where the lower teeth say it is: their motion in `jawOpen` is a pure rotation (24.4 degrees; the
teeth fit it within 0.3 mm) about an axis near the temporomandibular joint. How much a skin vertex belongs to the jaw
is how far it follows that rotation.
"""

import numpy as np
from scipy.sparse import csr_array

from facestream_models.flame.crop import affine_weights, sphere_of
from facestream_models.flame.head import (
    JAW,
    JOINT_COUNT,
    LEFT_EYE,
    NECK,
    RIGHT_EYE,
    ROOT,
    Float64,
    Int64,
)  # fmt: skip
from facestream_models.flame.rigid import axis_angle, rigid_motion, rotation_matrix

NECK_HEIGHT, ROOT_HEIGHT = -0.095, -0.165
"""Heights of the neck and root joints below the middle of the eyes, metres."""

_NECK_DEPTH = -0.115
"""Depth of the neck's axis behind the middle of the eyes, metres."""

_NEIGHBOURS = 48
_JAW_FLOOR = 0.04
_SMOOTHING_STEPS = 3


def jaw_rotation(teeth: Float64, opened: Float64) -> tuple[float, Float64]:
    """Angle (radians about +X) and pivot [3] on the middle plane that carry `teeth` to `opened` [N, 3]."""
    rotation, translation = rigid_motion(teeth, opened)
    angle = axis_angle(rotation)
    pivot = np.zeros(3)
    pivot[1:] = np.linalg.solve((np.eye(3) - rotation)[1:, 1:], translation[1:])
    return float(angle[0]), pivot


def slide_as_turn(teeth: Float64, slide: Float64, pivot: Float64) -> float:
    """Angle about +Y through the pivot that comes closest to sliding the `teeth` [N, 3] sideways."""
    arm = teeth[:, 2] - pivot[2]
    return float(np.arctan2((arm * slide[:, 0]).sum(), (arm**2).sum()))


def joint_regressor(template: Float64, eyes: tuple[Int64, Int64], skin: Int64, pivot: Float64) -> Float64:
    """Weights [J, V] that make the five joints out of the vertices, following identity changes affinely."""
    gaze_origin = np.concatenate([template[eye] for eye in eyes]).mean(axis=0) * [0, 1, 1]
    regressor = np.zeros((JOINT_COUNT, len(template)))
    places = {JAW: pivot}
    for joint, height in ((ROOT, ROOT_HEIGHT), (NECK, NECK_HEIGHT)):
        places[joint] = gaze_origin + np.array([0, height, _NECK_DEPTH])
    for joint, place in places.items():
        # Left and right halves alike, so that the joint stays on the middle plane.
        near = skin[np.argsort(np.linalg.norm(template[skin] * [0.25, 1, 1] - place, axis=1))[:_NEIGHBOURS]]
        regressor[joint, near] = affine_weights(template[near], place[None])[0]
    for joint, eye in ((LEFT_EYE, eyes[0]), (RIGHT_EYE, eyes[1])):
        centre, _ = sphere_of(template[eye])
        regressor[joint, eye] = affine_weights(template[eye], centre[None])[0]
    return regressor


def skinning(
    template: Float64,
    open_shape: Float64,
    jaw: tuple[float, Float64],
    *,
    bone: Int64,
    eyes: tuple[Int64, Int64],
    neck_height: float,
    root_height: float,
    adjacency: csr_array,
) -> Float64:
    """Weights [V, J]: `bone` (lower teeth, tongue) rides on the jaw, `eyes` on theirs, the rest is shared smoothly."""
    angle, pivot = jaw
    turned = (template - pivot) @ rotation_matrix(np.array([angle, 0.0, 0.0])).T + pivot - template
    follows = (open_shape * turned).sum(axis=1) / np.maximum((turned**2).sum(axis=1), 1e-8)
    # Near the pivot nothing moves and the ratio means nothing.
    follows[np.linalg.norm(turned, axis=1) < 0.002] = 0
    follows = np.clip(follows, 0, 1)
    for _ in range(_SMOOTHING_STEPS):
        follows = (follows + adjacency @ follows) / 2
    follows[follows < _JAW_FLOOR] = 0
    follows[bone] = 1

    rise = np.clip((template[:, 1] - root_height) / (neck_height - root_height), 0, 1)
    head = rise * rise * (3 - 2 * rise)
    weights = np.zeros((len(template), JOINT_COUNT))
    weights[:, JAW] = follows * head
    weights[:, NECK] = (1 - follows) * head
    weights[:, ROOT] = 1 - head
    for joint, eye in ((LEFT_EYE, eyes[0]), (RIGHT_EYE, eyes[1])):
        weights[eye] = 0
        weights[eye, joint] = 1
    return weights
