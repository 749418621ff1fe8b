"""A take as USD text: the open head as a UsdSkel character with blend shapes, or its animation alone.

    /Face (SkelRoot)
      Skeleton      root > neck > eye_left, eye_right; bound to Take
      Take          SkelAnimation: 52 blend shape weights, rotations of neck and eyes
      face, teeth_upper, ... meshes with the blend shapes that move them; `face` is skinned to root and neck

One time code is one frame of the take. Metres, +Y up, +Z forward. Tools that have a character of their own take only
the SkelAnimation, by the names of its blend shapes.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.head_parts import FACE_PARTS, MOVED, RIDING, TWO_SIDED
from facestream.files.rotation import rotations_of
from facestream.head_mesh import HeadMesh, open_head
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, Int64
from facestream.visemes import MESH_NAMES

_JOINTS = ("root", "root/neck", "root/neck/eye_left", "root/neck/eye_right")
_NECK, _EYES = 1, {"eye_left": 2, "eye_right": 3}


def write_usda(
    path: Path,
    frames: Frames,
    frame_rate: FrameRate,
    visemes: Float32 | None = None,
    *,
    animation_only: bool = False,
) -> None:
    """Write a `.usda`. With `visemes` [F, V] their names follow the 52 in the SkelAnimation; the head ignores them.

    Raises `InvalidValue` for a take without frames.
    """
    if not frames.count:
        raise InvalidValue("frames", "a take without frames", "at least one frame")
    mesh = open_head()
    lines = [
        *_head_of_file(frames, frame_rate),
        'def SkelRoot "Face" (',
        '    prepend apiSchemas = ["SkelBindingAPI"]',
        ")",
        "{",
        *_indented(_skeleton(mesh)),
        *_indented(_animation(mesh, frames, visemes)),
    ]
    if not animation_only:
        for name, parts in {"face": FACE_PARTS, **RIDING}.items():
            lines += _indented(_part(mesh, name, parts))
    path.write_text("\n".join([*lines, "}"]) + "\n", encoding="utf-8")


def _head_of_file(frames: Frames, frame_rate: FrameRate) -> list[str]:
    rate = f"{float(frame_rate.fraction):.10g}"
    return [
        "#usda 1.0",
        "(",
        '    defaultPrim = "Face"',
        '    doc = "facestream; the head is CC0, made from the MakeHuman base mesh"',
        f"    startTimeCode = {frames.first_index}",
        f"    endTimeCode = {frames.end_index - 1}",
        f"    timeCodesPerSecond = {rate}",
        f"    framesPerSecond = {rate}",
        "    metersPerUnit = 1",
        '    upAxis = "Y"',
        ")",
        "",
    ]


def _skeleton(mesh: HeadMesh) -> list[str]:
    places = _joint_places(mesh)
    inside = [places[0], places[1], places[2] - places[1], places[3] - places[1]]
    return [
        'def Skeleton "Skeleton" (',
        '    prepend apiSchemas = ["SkelBindingAPI"]',
        ")",
        "{",
        f"    uniform token[] joints = {_words(_JOINTS)}",
        f"    uniform matrix4d[] bindTransforms = [{', '.join(map(_matrix, places))}]",
        f"    uniform matrix4d[] restTransforms = [{', '.join(map(_matrix, inside))}]",
        "    rel skel:animationSource = </Face/Take>",
        "}",
    ]


def _animation(mesh: HeadMesh, frames: Frames, visemes: Float32 | None) -> list[str]:
    names, weights = list(ARKIT_NAMES), frames.weights
    if visemes is not None:
        names, weights = [*names, *MESH_NAMES], np.concatenate([weights, visemes], axis=1)
    places = _joint_places(mesh)
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (frames.count, 1))
    # USD writes the real part of a quaternion first
    turns = np.stack([still, *rotations_of(frames)], axis=1)[:, :, [3, 0, 1, 2]]
    codes = range(frames.first_index, frames.end_index)
    return [
        'def SkelAnimation "Take"',
        "{",
        f"    uniform token[] blendShapes = {_words(names)}",
        "    float[] blendShapeWeights.timeSamples = {",
        *(f"        {code}: [{_numbers(row)}]," for code, row in zip(codes, weights, strict=True)),
        "    }",
        f"    uniform token[] joints = {_words(_JOINTS)}",
        "    quatf[] rotations.timeSamples = {",
        *(f"        {code}: {_tuples(row)}," for code, row in zip(codes, turns, strict=True)),
        "    }",
        f"    half3[] scales = {_tuples(np.ones((len(_JOINTS), 3)))}",
        f"    float3[] translations = {_tuples(np.stack([places[0], places[1], *(places[2:] - places[1])]))}",
        "}",
    ]


def _part(mesh: HeadMesh, name: str, parts: tuple[str, ...]) -> list[str]:
    triangles = mesh.part_triangles(*parts)
    used, corners = np.unique(triangles, return_inverse=True)
    points, normals = mesh.template[used], mesh.normals(mesh.template)[used]
    colours = (mesh.colours[used] / 255.0) ** 2.2
    reach = np.linalg.norm(mesh.arkit_dirs[:, used], axis=2).max(axis=1)
    # the eyes turn by their joints; their gaze shapes would turn them again
    shapes = [] if name in _EYES else np.flatnonzero(reach > MOVED).tolist()
    names = [ARKIT_NAMES[shape] for shape in shapes]
    lines = [
        f'def Mesh "{name}" (',
        '    prepend apiSchemas = ["SkelBindingAPI"]',
        ")",
        "{",
        f"    float3[] extent = {_tuples(np.stack([points.min(axis=0), points.max(axis=0)]))}",
        f"    int[] faceVertexCounts = [{', '.join(['3'] * len(triangles))}]",
        f"    int[] faceVertexIndices = [{', '.join(map(str, corners.ravel().tolist()))}]",
        f"    point3f[] points = {_tuples(points)}",
        f"    normal3f[] normals = {_tuples(normals)} (",
        '        interpolation = "vertex"',
        "    )",
        f"    color3f[] primvars:displayColor = {_tuples(colours)} (",
        '        interpolation = "vertex"',
        "    )",
        '    uniform token subdivisionScheme = "none"',
        f"    uniform bool doubleSided = {int(any(part in TWO_SIDED for part in parts))}",
        "    rel skel:skeleton = </Face/Skeleton>",
        *_indented(_binding(mesh, name, used)),
    ]
    if shapes:
        lines += [
            f"    uniform token[] skel:blendShapes = {_words(names)}",
            f"    rel skel:blendShapeTargets = [{', '.join(f'</Face/{name}/{shape}>' for shape in names)}]",
        ]
        for shape in shapes:
            turned = mesh.normals(mesh.template + mesh.arkit_dirs[shape])[used] - normals
            lines += _indented(_blend_shape(ARKIT_NAMES[shape], mesh.arkit_dirs[shape, used], turned))
    return [*lines, "}"]


def _binding(mesh: HeadMesh, name: str, used: Int64) -> list[str]:
    """Which joints carry a part: the face root and neck by share, all others one joint as a whole."""
    if name != "face":
        joints, weights, width, interpolation = [_EYES.get(name, _NECK)], [1.0], 1, "constant"
    else:
        share = mesh.head_share[used].astype(np.float64)
        joints = np.tile([0, _NECK], len(used)).tolist()
        weights, width, interpolation = np.stack([1.0 - share, share], axis=1).ravel().tolist(), 2, "vertex"
    return [
        f"int[] primvars:skel:jointIndices = [{', '.join(map(str, joints))}] (",
        f"    elementSize = {width}",
        f'    interpolation = "{interpolation}"',
        ")",
        f"float[] primvars:skel:jointWeights = [{_numbers(weights)}] (",
        f"    elementSize = {width}",
        f'    interpolation = "{interpolation}"',
        ")",
    ]


def _blend_shape(name: str, moved: Float32, turned: Float32) -> list[str]:
    rows = np.flatnonzero(np.linalg.norm(moved, axis=1) > MOVED)
    return [
        f'def BlendShape "{name}"',
        "{",
        f"    uniform vector3f[] offsets = {_tuples(moved[rows])}",
        f"    uniform vector3f[] normalOffsets = {_tuples(turned[rows])}",
        f"    uniform int[] pointIndices = [{', '.join(map(str, rows.tolist()))}]",
        "}",
    ]


def _joint_places(mesh: HeadMesh) -> Float32:
    """Where the four joints are [4, 3]."""
    return np.stack([np.zeros(3, np.float32), mesh.neck, mesh.left_eye, mesh.right_eye]).astype(np.float32)


def _matrix(place: Float32) -> str:
    """A translation as USD writes it, for rows of points."""
    return f"((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), ({_numbers(place)}, 1))"


def _words(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{float(value):.6g}" for value in values)


def _tuples(rows: npt.NDArray[Any]) -> str:
    return "[" + ", ".join(f"({_numbers(row)})" for row in rows.tolist()) + "]"


def _indented(lines: Iterable[str]) -> list[str]:
    return ["    " + line for line in lines]
