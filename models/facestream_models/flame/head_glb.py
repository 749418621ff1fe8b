"""The open head as a glTF file: its portrait at rest with 52 ARKit morph targets, normals included.

Nodes as `facestream.files.gltf_head` tells them. Every part is a primitive with a material of its own; morph targets
are sparse accessors, which hold only what moves enough to be seen.
"""

from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.files.glb import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuilder, Json
from facestream.files.gltf_tracks import GENERATOR
from facestream.files.head_parts import FACE_PARTS, RIDING, TWO_SIDED
from facestream.types import Float32, Int64
from facestream_models.flame.head import Float64
from facestream_models.flame.portrait import Portrait

_MOVED, _TURNED = 2.2e-4, 0.09
"""Metres, and length of the change of a unit normal: less in a morph target is left out. Keeps the file at 1.5 MB."""

_COARSER = {"mouth": 6.0, "tongue": 3.0, "lashes": 2.0}
"""So many times less exact where it is dark, and for hairs, which have no surface to speak of."""

_ROUGHNESS = {
    "skin": 0.55, "lips": 0.38, "mouth": 0.6, "brows": 0.9, "lashes": 0.8, "teeth": 0.22, "gums": 0.4, "tongue": 0.42,
    "white": 0.12, "iris": 0.08, "pupil": 0.05,
}  # fmt: skip
_THINNING = ("brows",)


def write_head_glb(path: Path, portrait: Portrait) -> None:
    """Write the head at rest with its 52 morph targets; the same bytes for the same head."""
    _HeadWriter(portrait).write(path)


class _HeadWriter:
    def __init__(self, portrait: Portrait) -> None:
        mesh = portrait.mesh
        self._mesh, self._opacity = mesh, portrait.opacity
        self._glb = GlbBuilder()
        self._zeros: dict[int, int] = {}
        normals = mesh.normals(mesh.template)
        self._normals = normals
        self._turned = [mesh.normals(mesh.template + shape) - normals for shape in mesh.arkit_dirs]
        # A vertex between two parts is as exact as the finer of them, so that no gap opens.
        self._coarseness = np.full(mesh.vertex_count, max(_COARSER.values()))
        for part in sorted(mesh.parts, key=lambda name: -_COARSER.get(name, 1.0)):
            self._coarseness[mesh.part_triangles(part)] = _COARSER.get(part, 1.0)
        self._materials: list[Json] = []
        self._meshes: list[Json] = []
        self._nodes: list[Json] = [
            {"name": "root", "children": [1]},
            {"name": "neck", "translation": mesh.neck.tolist(), "children": []},
        ]
        for name, parts in RIDING.items():
            pivot = {"eye_left": mesh.left_eye, "eye_right": mesh.right_eye}.get(name, mesh.neck)
            node = {"name": name, "mesh": self._add_mesh(name, parts, pivot)}
            if name.startswith("eye"):
                node["translation"] = (pivot - mesh.neck).tolist()
            self._nodes[1]["children"].append(self._add_node(node))
        face = self._add_mesh("face", FACE_PARTS, np.zeros(3, np.float32), everything=True)
        self._add_node({"name": "face", "mesh": face, "skin": 0})
        still = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
        still[1, 3, :3] = -mesh.neck
        self._glb.document |= {
            "asset": {"version": "2.0", "generator": GENERATOR, "copyright": "CC0, made from the MakeHuman base mesh"},
            "scene": 0,
            "scenes": [{"nodes": [0, len(self._nodes) - 1]}],
            "nodes": self._nodes,
            "meshes": self._meshes,
            "materials": self._materials,
            "skins": [
                {"joints": [0, 1], "inverseBindMatrices": self._glb.accessor(still.reshape(2, 16)), "skeleton": 0}
            ],
        }

    def write(self, path: Path) -> None:
        self._glb.write(path)

    def _add_node(self, node: Json) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _add_mesh(self, name: str, parts: tuple[str, ...], origin: Float32, *, everything: bool = False) -> int:
        vertices = np.unique(self._mesh.part_triangles(*parts))
        reach = np.linalg.norm(self._mesh.arkit_dirs[:, vertices], axis=2).max(axis=1)
        shapes = list(range(CURVE_COUNT)) if everything else np.flatnonzero(reach > _MOVED).tolist()
        primitives = [self._primitive(part, origin, shapes, skinned=everything) for part in parts]
        entry: Json = {"name": name, "primitives": primitives}
        if shapes:
            entry["extras"] = {"targetNames": [ARKIT_NAMES[shape] for shape in shapes]}
            entry["weights"] = [0.0] * len(shapes)
        self._meshes.append(entry)
        return len(self._meshes) - 1

    def _primitive(self, part: str, origin: Float32, shapes: list[int], *, skinned: bool) -> Json:
        mesh, glb = self._mesh, self._glb
        used, corners = np.unique(mesh.part_triangles(part), return_inverse=True)
        linear = (mesh.colours[used] / 255.0) ** 2.2
        colours = np.concatenate([linear, self._opacity[used, None]], axis=1) * 255
        coarseness = self._coarseness[used]
        attributes = {
            "POSITION": glb.accessor(mesh.template[used] - origin, target=ARRAY_BUFFER, bounded=True),
            "NORMAL": glb.accessor(self._normals[used], target=ARRAY_BUFFER),
            "COLOR_0": glb.accessor(np.round(colours).astype(np.uint8), target=ARRAY_BUFFER, normalized=True),
        }
        if skinned:
            attributes |= self._skinning(used)
        targets = [
            {
                "POSITION": self._sparse(mesh.arkit_dirs[shape, used], coarseness * _MOVED, bounded=True),
                "NORMAL": self._sparse(self._turned[shape][used], coarseness * _TURNED, bounded=False),
            }
            for shape in shapes
        ]
        index = corners.astype(np.uint16 if len(used) <= 2**16 else np.uint32).ravel()
        primitive: Json = {
            "attributes": attributes,
            "indices": glb.accessor(index, target=ELEMENT_ARRAY_BUFFER),
            "material": self._material(part),
        }
        if targets:
            primitive["targets"] = targets
        return primitive

    def _sparse(self, array: Float32, threshold: Float64, *, bounded: bool) -> int:
        """Accessor of the rows of `array` [N, 3] longer than `threshold` [N]; where none is, one is shared by all."""
        rows = np.flatnonzero(np.linalg.norm(array, axis=1) > threshold)
        if len(rows):
            return self._glb.sparse_accessor(array, rows, bounded=bounded)
        if len(array) not in self._zeros:
            self._zeros[len(array)] = self._glb.sparse_accessor(array, rows, bounded=True)
        return self._zeros[len(array)]

    def _skinning(self, used: Int64) -> dict[str, int]:
        share = np.round(self._mesh.head_share[used] * 255).astype(np.uint8)
        joints, weights = np.zeros((2, len(used), 4), np.uint8)
        # A weight of zero must name joint 0.
        joints[:, 1] = share > 0
        weights[:, 0], weights[:, 1] = 255 - share, share
        return {
            "JOINTS_0": self._glb.accessor(joints, target=ARRAY_BUFFER),
            "WEIGHTS_0": self._glb.accessor(weights, target=ARRAY_BUFFER, normalized=True),
        }

    def _material(self, part: str) -> int:
        kind = part.split("_")[0]
        for index, material in enumerate(self._materials):
            if material["name"] == kind:
                return index
        surface = {"baseColorFactor": [1, 1, 1, 1], "metallicFactor": 0, "roughnessFactor": _ROUGHNESS[kind]}
        material = {"name": kind, "pbrMetallicRoughness": surface}
        if kind in TWO_SIDED:
            material["doubleSided"] = True
        if kind in _THINNING:
            material["alphaMode"] = "BLEND"
        self._materials.append(material)
        return len(self._materials) - 1
