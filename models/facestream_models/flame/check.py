"""Whether a glTF face can be driven by ARKit weights: names, symmetry, lips that meet, no triangle inside out.

Made for the open head and for faces that users bring (GLB or .gltf with morph targets). Every check says by how much
it fails and where. Nothing here knows the open head's vertices: lips are found by what they do, as the places that
touch at rest and that `jawOpen` parts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, MIRROR_PAIRS
from facestream.errors import InvalidValue
from facestream.files.glb import GlbFile, Json
from facestream_models.flame.head import Float64, Int64

_TOUCHING, _PARTED, _MEETING = 0.008, 0.05, 0.008
"""Shares of the head's height: how near lips are at rest, how far jawOpen parts them, how near they must come again."""

_ALIKE = 0.0025
"""Share of the head's height by which halves of a face, and twin shapes, may differ: half a millimetre on a head."""

_SEEN_AREA = 1e-12
"""Square metres. A triangle smaller than a square micrometre has no side to turn."""

_NEIGHBOURS = 12
_SHOWN = 4


@dataclass(frozen=True)
class MorphFace:
    """A face at rest and its targets, all primitives of one mesh in one list of `V` vertices.

    `template` [V, 3]; `triangles` [T, 3]; `part_of` [V] primitive; `shapes` target name -> displacement [V, 3];
    `target_names`: as the file has them, doubles included.
    """

    template: Float64
    triangles: Int64
    part_of: Int64
    shapes: dict[str, Float64]
    target_names: tuple[str, ...]

    @property
    def height(self) -> float:
        return float(np.ptp(self.template[:, 1]))


@dataclass(frozen=True)
class Finding:
    """One check: what it looked at, whether it holds, and the figure or names that say so."""

    check: str
    passed: bool
    told: str


def read_morph_face(path: Path) -> MorphFace:
    """All meshes with ARKit targets, as they stand in the scene. Raises `InvalidValue` for a file without any."""
    file = GlbFile(path)
    document = file.document
    places: list[Float64] = []
    triangles: list[Int64] = []
    parts: list[Int64] = []
    moves: list[dict[str, Float64]] = []
    told: tuple[str, ...] = ()
    count = 0
    for node, (turn, shift) in _stood(document).items():
        mesh = document["meshes"][document["nodes"][node]["mesh"]]
        names = _names(mesh)
        if not set(names) & set(ARKIT_NAMES):
            continue
        told = max(told, tuple(names), key=lambda known: len(set(known) & set(ARKIT_NAMES)))
        for primitive in mesh["primitives"]:
            here = file.array(primitive["attributes"]["POSITION"]).astype(np.float64) @ turn.T + shift
            targets = zip(names, primitive.get("targets", []), strict=False)
            moves.append({name: file.array(target["POSITION"]).astype(np.float64) @ turn.T
                          for name, target in targets if "POSITION" in target})  # fmt: skip
            triangles.append(count + file.array(primitive["indices"]).astype(np.int64).reshape(-1, 3))
            parts.append(np.full(len(here), len(parts)))
            places.append(here)
            count += len(here)
    if not told:
        raise InvalidValue(str(path), "no morph targets with ARKit names", "a glTF face with ARKit blendshapes")
    known = dict.fromkeys(name for move in moves for name in move)
    shapes = {
        name: np.concatenate([move.get(name, np.zeros_like(here)) for move, here in zip(moves, places, strict=True)])
        for name in known
    }
    return MorphFace(np.concatenate(places), np.concatenate(triangles), np.concatenate(parts), shapes, told)


def _stood(document: Json) -> dict[int, tuple[Float64, Float64]]:
    """Linear part [3, 3] and shift [3] of every node with a mesh, its parents' included."""
    nodes = document.get("nodes", [])
    stood: dict[int, tuple[Float64, Float64]] = {}

    def visit(index: int, turn: Float64, shift: Float64) -> None:
        node = nodes[index]
        if "matrix" in node:
            own = np.array(node["matrix"], np.float64).reshape(4, 4).T
            own_turn, own_shift = own[:3, :3], own[:3, 3]
        else:
            x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
            across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            own_turn = (np.eye(3) + 2 * w * across + 2 * across @ across) * node.get("scale", (1.0, 1.0, 1.0))
            own_shift = np.array(node.get("translation", (0.0, 0.0, 0.0)), np.float64)
        if "skin" in node:
            # where a skinned mesh stands is its joints' matter
            stood[index] = (np.eye(3), np.zeros(3))
        elif "mesh" in node:
            stood[index] = (turn @ own_turn, turn @ own_shift + shift)
        for child in node.get("children", []):
            visit(child, turn @ own_turn, turn @ own_shift + shift)

    children = {child for node in nodes for child in node.get("children", [])}
    for root in sorted(set(range(len(nodes))) - children):
        visit(root, np.eye(3), np.zeros(3))
    return stood


def check_face(face: MorphFace) -> list[Finding]:
    """All findings, in the order of this file. The later ones look at the shapes that are there."""
    return [_check_names(face), _check_symmetry(face), _check_lips(face), _check_triangles(face)]


def _names(mesh: Json) -> list[str]:
    places = [mesh, *mesh["primitives"]]
    return next((list(place["extras"]["targetNames"]) for place in places
                 if "targetNames" in place.get("extras", {})), [])  # fmt: skip


def _check_names(face: MorphFace) -> Finding:
    missing = [name for name in ARKIT_NAMES if name not in face.shapes]
    double = sorted({name for name in face.target_names if face.target_names.count(name) > 1})
    still = [name for name in ARKIT_NAMES if name in face.shapes and not np.any(face.shapes[name])]
    faults = [f"{what}: {_listed(names)}" for what, names in
              (("missing", missing), ("twice", double), ("moves nothing", still)) if names]  # fmt: skip
    return Finding("52 ARKit names", not faults, "; ".join(faults) or f"{CURVE_COUNT} targets, each moves something")


def _check_symmetry(face: MorphFace) -> Finding:
    """Each vertex has a mirror image, and what moves it moves its image in the twin shape."""
    allowed = _ALIKE * face.height
    flip = np.array([-1.0, 1.0, 1.0])
    apart, image = cKDTree(face.template).query(face.template * flip)
    twin = dict(MIRROR_PAIRS) | {right: left for left, right in MIRROR_PAIRS}
    worst = {"the rest pose": float(apart.max())}
    for name in set(face.shapes) & set(ARKIT_NAMES):
        if twin.get(name, name) in face.shapes:
            other = face.shapes[twin.get(name, name)][image] * flip
            worst[name] = float(np.linalg.norm(face.shapes[name] - other, axis=1).max())
    faults = sorted((name for name, error in worst.items() if error > allowed), key=lambda name: -worst[name])
    largest = max(worst, key=lambda name: worst[name])
    told = f"{_listed(faults)} differ" if faults else "left and right are mirror images"
    return Finding("mirror symmetry", not faults, f"{told}, at most {worst[largest] * 1000:.2f} mm ({largest})")


def _check_lips(face: MorphFace) -> Finding:
    """With jawOpen = mouthClose, at half and full weight, the lips touch as they do at rest."""
    name = "lips meet at jawOpen = mouthClose"
    if not {"jawOpen", "mouthClose"} <= face.shapes.keys():
        return Finding(name, False, "jawOpen or mouthClose is missing")
    opened, closing = face.shapes["jawOpen"], face.shapes["mouthClose"]
    distance, near = cKDTree(face.template).query(face.template, k=min(_NEIGHBOURS * 4, len(face.template)))
    first, column = np.nonzero(distance < _TOUCHING * face.height)
    second = near[first, column]
    parted = np.linalg.norm((face.template + opened)[first] - (face.template + opened)[second], axis=1)
    pairs = parted > _PARTED * face.height
    first, second = first[pairs], second[pairs]
    if not len(first):
        return Finding(name, False, "no lips: nothing that touches at rest is parted by jawOpen")
    # of each lip vertex the nearest one across, as it is at rest
    rest = np.linalg.norm(face.template[first] - face.template[second], axis=1)
    gaps = []
    for weight in (0.5, 1.0):
        worn = face.template + weight * (opened + closing)
        gaps.append(np.linalg.norm(worn[first] - worn[second], axis=1) - rest)
    gap = float(np.maximum.reduce(gaps).max())
    told = f"{len(np.unique(first))} vertices of the lips come within {max(gap, 0) * 1000:.2f} mm of where they touch"
    return Finding(name, gap <= _MEETING * face.height, told)


def _check_triangles(face: MorphFace) -> Finding:
    """At rest and at each full shape no triangle faces away from the surface around it."""
    wrong = {"the rest pose": _inside_out(face, np.zeros_like(face.template))}
    wrong |= {name: _inside_out(face, face.shapes[name]) for name in ARKIT_NAMES if name in face.shapes}
    faults = sorted((name for name, count in wrong.items() if count), key=lambda name: -wrong[name])
    told = ", ".join(f"{name} {wrong[name]}" for name in faults[:_SHOWN]) or f"{len(face.triangles)} triangles"
    return Finding("no inverted triangles", not faults, told)


def _inside_out(face: MorphFace, shape: Float64) -> int:
    worn = face.template + shape
    corners = worn[face.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat, count = face.triangles.ravel(order="F"), len(worn)
    around = np.stack([np.bincount(flat, np.tile(normal[:, axis], 3), minlength=count) for axis in range(3)], axis=1)
    around = around / np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-30)
    facing = np.einsum("ti,ti->t", normal, around[face.triangles].mean(axis=1))
    return int(((facing < 0) & (np.linalg.norm(normal, axis=1) > 2 * _SEEN_AREA)).sum())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
