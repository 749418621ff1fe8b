"""The open head as GLB, still or animated by a take, and takes read back from GLB.

Nodes: `root` > `neck` (head rotation) > `eye_left`, `eye_right`, teeth, tongue; `face` is skinned to root and neck,
so that the bust stays while the head turns. `face` carries all 52 ARKit morph targets by name; the other meshes carry
those that move them, under the same names. The eyes turn by rotation in a take; their gaze targets serve rigs that
only know weights.
"""

from pathlib import Path
from typing import Any

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.errors import InvalidValue
from facestream.files.glb import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuilder, GlbFile, Json
from facestream.files.rotation import rotation_of
from facestream.head_mesh import HeadMesh, open_head
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, Int64, Pose

GENERATOR = "facestream"
_MOVED, _TURNED = 1.5e-4, 0.075
"""Metres, and length of the change of a unit normal: less in a morph target is left out. Keeps the file at 1.5 MB."""

_FACE_PARTS = ("skin", "lips", "mouth", "brows", "lashes")
_RIDING = {
    "teeth_upper": ("teeth_upper", "gums_upper"),
    "teeth_lower": ("teeth_lower", "gums_lower"),
    "tongue": ("tongue",),
    "eye_left": ("white_left", "iris_left", "pupil_left"),
    "eye_right": ("white_right", "iris_right", "pupil_right"),
}
"""Meshes that ride on the neck node, and the parts they are made of."""

_ROUGHNESS = {
    "skin": 0.55, "lips": 0.38, "mouth": 0.6, "brows": 0.9, "lashes": 0.8, "teeth": 0.22, "gums": 0.4, "tongue": 0.42,
    "white": 0.12, "iris": 0.08, "pupil": 0.05,
}  # fmt: skip
_TWO_SIDED = ("brows", "lashes", "mouth")

_GAZE_YAW, _GAZE_DOWN, _GAZE_UP = 0.66, 0.61, 0.51
"""Radians of a full gaze shape (engine-formats section 1.4), for takes without eye rotations."""


def write_glb(path: Path, mesh: HeadMesh | None = None) -> None:
    """The head at rest with its 52 morph targets."""
    _HeadWriter(mesh or open_head()).write(path)


def write_animated_glb(path: Path, frames: Frames, frame_rate: FrameRate) -> None:
    """The open head wearing a take: a weights track for each mesh, rotation tracks for head and eyes.

    Times count from the take's first frame. Raises `InvalidValue` for a take without frames.
    """
    if not frames.count:
        raise InvalidValue("frames", "a take without frames", "at least one frame")
    writer = _HeadWriter(open_head())
    writer.animate(frames, frame_rate)
    writer.write(path)


def read_glb_take(path: Path) -> tuple[Frames, FrameRate | None]:
    """The first animation's ARKit weights, by morph target name, with rotations where the file has our nodes.

    The frame rate and first index come back if this package wrote the file, else the rate is None. Raises
    `InvalidValue` for a file without an animated ARKit face.
    """
    file = GlbFile(path)
    document = file.document
    animation = next(iter(document.get("animations", [])), None)
    if animation is None:
        raise InvalidValue(str(path), "no animation", "a GLB with an animated face")
    tracks: dict[tuple[str, str], Any] = {}
    for channel in animation["channels"]:
        node = document["nodes"][channel["target"]["node"]]
        tracks[node.get("name", ""), channel["target"]["path"]] = (node, animation["samplers"][channel["sampler"]])
    best: Json | None = None
    names: list[str] = []
    for (_, kind), (node, sampler) in tracks.items():
        shapes = document["meshes"][node["mesh"]].get("extras", {}).get("targetNames", []) if kind == "weights" else []
        if len(set(shapes) & set(ARKIT_NAMES)) > len(set(names) & set(ARKIT_NAMES)):
            best, names = sampler, shapes
    if best is None:
        raise InvalidValue(str(path), "no weights track with ARKit names", "a GLB with an animated ARKit face")
    values = file.array(best["output"]).astype(np.float32).reshape(-1, len(names))
    weights = np.zeros((len(values), CURVE_COUNT), np.float32)
    for column, name in enumerate(names):
        if name in INDEX:
            weights[:, INDEX[name]] = values[:, column]
    turns = [tracks.get((node, "rotation")) for node in ("neck", "eye_left", "eye_right")]
    rotations = [file.array(turn[1]["output"]).astype(np.float32) for turn in turns if turn is not None]
    pose = Pose(*rotations) if len(rotations) == 3 and all(len(turn) == len(values) for turn in rotations) else None
    ours = animation.get("extras", {}).get(GENERATOR, {})
    rate = FrameRate(*ours["frame_rate"]) if "frame_rate" in ours else None
    return Frames(int(ours.get("first_index", 0)), weights, pose), rate


class _HeadWriter:
    def __init__(self, mesh: HeadMesh) -> None:
        self._mesh = mesh
        self._glb = GlbBuilder()
        self._zeros: dict[int, int] = {}
        self._shapes_of: dict[int, list[int]] = {}
        normals = mesh.normals(mesh.template)
        self._normals = normals
        self._turned = [mesh.normals(mesh.template + shape) - normals for shape in mesh.arkit_dirs]
        self._materials: list[Json] = []
        self._meshes: list[Json] = []
        self._nodes: list[Json] = [
            {"name": "root", "children": [1]},
            {"name": "neck", "translation": mesh.neck.tolist(), "children": []},
        ]
        for name, parts in _RIDING.items():
            pivot = {"eye_left": mesh.left_eye, "eye_right": mesh.right_eye}.get(name, mesh.neck)
            node = {"name": name, "mesh": self._add_mesh(name, parts, pivot)}
            if name.startswith("eye"):
                node["translation"] = (pivot - mesh.neck).tolist()
            self._nodes[1]["children"].append(self._add_node(node))
        face = self._add_mesh("face", _FACE_PARTS, np.zeros(3, np.float32), everything=True)
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

    def animate(self, frames: Frames, frame_rate: FrameRate) -> None:
        times = np.arange(frames.count) * (frame_rate.denominator / frame_rate.numerator)
        clock = self._glb.accessor(times.astype(np.float32), bounded=True)
        samplers: list[Json] = []
        channels: list[Json] = []

        def track(node: int, path: str, values: Float32) -> None:
            samplers.append({"input": clock, "output": self._glb.accessor(values), "interpolation": "LINEAR"})
            channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})

        head, left, right = _rotations(frames)
        for index, node in enumerate(self._nodes):
            turn = {"neck": head, "eye_left": left, "eye_right": right}.get(node["name"])
            if turn is not None:
                track(index, "rotation", np.ascontiguousarray(turn, np.float32))
            elif shapes := self._shapes_of.get(node.get("mesh", -1)):
                track(index, "weights", np.ascontiguousarray(frames.weights[:, shapes], np.float32).ravel())
        about = {
            GENERATOR: {"frame_rate": [frame_rate.numerator, frame_rate.denominator], "first_index": frames.first_index}
        }
        self._glb.document["animations"] = [
            {"name": "take", "samplers": samplers, "channels": channels, "extras": about}
        ]

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
        self._shapes_of[len(self._meshes) - 1] = shapes
        return len(self._meshes) - 1

    def _primitive(self, part: str, origin: Float32, shapes: list[int], *, skinned: bool) -> Json:
        mesh, glb = self._mesh, self._glb
        used, corners = np.unique(mesh.part_triangles(part), return_inverse=True)
        linear = (mesh.colours[used] / 255.0) ** 2.2
        colours = np.concatenate([linear, np.ones((len(used), 1))], axis=1) * 65535
        attributes = {
            "POSITION": glb.accessor(mesh.template[used] - origin, target=ARRAY_BUFFER, bounded=True),
            "NORMAL": glb.accessor(self._normals[used], target=ARRAY_BUFFER),
            "COLOR_0": glb.accessor(np.round(colours).astype(np.uint16), target=ARRAY_BUFFER, normalized=True),
        }
        if skinned:
            attributes |= self._skinning(used)
        targets = [
            {
                "POSITION": self._sparse(mesh.arkit_dirs[shape, used], _MOVED, bounded=True),
                "NORMAL": self._sparse(self._turned[shape][used], _TURNED, bounded=False),
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

    def _sparse(self, array: Float32, threshold: float, *, bounded: bool) -> int:
        """Accessor of the rows of `array` [N, 3] longer than the threshold; where none is, one is shared by all."""
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
        if kind in _TWO_SIDED:
            material["doubleSided"] = True
        self._materials.append(material)
        return len(self._materials) - 1


def _rotations(frames: Frames) -> tuple[Float32, Float32, Float32]:
    """Head and eyes [F, 4]; without a pose the head is still and the eyes follow the gaze shapes."""
    if frames.pose is not None:
        return frames.pose.head, frames.pose.left_eye, frames.pose.right_eye
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (frames.count, 1))
    left, right = (_gaze(frames.weights, side) for side in ("Left", "Right"))
    return still, left, right


def _gaze(weights: Float32, side: str) -> Float32:
    level = {way: weights[:, INDEX[f"eyeLook{way}{side}"]] for way in ("In", "Out", "Up", "Down")}
    # Negative yaw turns to the subject's left, positive pitch down (files.rotation).
    yaw = _GAZE_YAW * (level["In"] - level["Out"]) * (1 if side == "Left" else -1)
    pitch = _GAZE_DOWN * level["Down"] - _GAZE_UP * level["Up"]
    return rotation_of(np.stack([yaw, pitch, np.zeros_like(yaw)], axis=1).astype(np.float32))
