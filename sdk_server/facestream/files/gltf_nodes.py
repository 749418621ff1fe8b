"""What a take moves in a glTF scene: nodes that are head and eyes, how they stand at rest, names of morph targets.

Names of nodes count without prefix, case and punctuation: `mixamorig:Head`, `LeftEye`, `eye_left`, `Eye.L`.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from facestream.files.glb import Json
from facestream.files.rotation import Float64, multiplied

HEAD = ("head", "neck")
"""The first that a scene has is the one that turns."""

EYES = {
    "left": ("eyeleft", "lefteye", "eyel", "leye"),
    "right": ("eyeright", "righteye", "eyer", "reye"),
}
_OTHER = re.compile(r"[^a-z0-9]+")


def node_named(document: Json, names: Sequence[str], *, plain: bool = False) -> int | None:
    """Index of the node with the first of these names that there is; with `plain` only of nodes without a mesh of
    their own, which bones are.
    """
    found: dict[str, int] = {}
    for index, node in enumerate(document.get("nodes", [])):
        if not (plain and "mesh" in node):
            found.setdefault(bare_name(node), index)
    return next((found[name] for name in names if name in found), None)


def bare_name(node: Json) -> str:
    """A node's name in small letters, without the namespace before a colon and without punctuation."""
    return _OTHER.sub("", str(node.get("name", "")).rpartition(":")[2].lower())


def target_names(mesh: Json) -> list[str]:
    """Names of a mesh's morph targets, from wherever exporters write them."""
    places = [mesh, *mesh["primitives"]]
    told = [place["extras"]["targetNames"] for place in places if "targetNames" in place.get("extras", {})]
    return [str(name) for name in told[0]] if told else []


def rest_rotation(node: Json) -> Float64:
    """Quaternion x y z w [4] of a node as it stands."""
    if "matrix" not in node:
        return np.array(node.get("rotation", [0.0, 0.0, 0.0, 1.0]), np.float64)
    matrix = np.array(node["matrix"], np.float64).reshape(4, 4).T[:3, :3]
    axes = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    # the largest of the four is never small (Shepperd's choice)
    diagonal = np.diag(axes)
    squares = np.array([*(1.0 + 2.0 * diagonal - diagonal.sum()), 1.0 + diagonal.sum()])
    x, y, z = (axes[2, 1] - axes[1, 2], axes[0, 2] - axes[2, 0], axes[1, 0] - axes[0, 1])
    xy, xz, yz = axes[0, 1] + axes[1, 0], axes[0, 2] + axes[2, 0], axes[1, 2] + axes[2, 1]
    rows = np.array([[squares[0], xy, xz, x], [xy, squares[1], yz, y], [xz, yz, squares[2], z], [x, y, z, squares[3]]])
    row = rows[int(squares.argmax())]
    return np.asarray(row / np.linalg.norm(row))


def without_matrix(node: Json) -> None:
    """Say by translation, rotation and scale what a matrix says: animated nodes may have none (glTF 2.0, 3.7.3.2)."""
    if "matrix" not in node:
        return
    rotation = rest_rotation(node)
    matrix: Any = np.array(node.pop("matrix"), np.float64).reshape(4, 4).T
    node["translation"], node["rotation"] = matrix[:3, 3].tolist(), rotation.tolist()
    node["scale"] = np.linalg.norm(matrix[:3, :3], axis=0).tolist()


def rotation_around(document: Json, node: int) -> Float64:
    """Rotation [4] of what a node hangs on, from its parents at rest."""
    parents = {child: place for place, one in enumerate(document["nodes"]) for child in one.get("children", [])}
    around = np.array([0.0, 0.0, 0.0, 1.0])
    for _ in document["nodes"]:  # at most as many ancestors
        if node not in parents:
            break
        node = parents[node]
        around = multiplied(rest_rotation(document["nodes"][node]), around)
    return around
