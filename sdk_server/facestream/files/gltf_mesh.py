"""A take on a face of one's own: a glTF file whose morph targets have ARKit names gets the animation of a take.

Everything else of the file stays as it is. Heads and eyes turn by their nodes, where there are any (`gltf_nodes`); eyes
only where no morph target moves the gaze already. Without its geometry the same file is the animation alone: nodes and
targets by name, a single point for each mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.curve_names import curve_of, viseme_of
from facestream.files.glb import GlbBuilder, GlbFile, Json
from facestream.files.gltf_nodes import (
    EYES,
    HEAD,
    node_named,
    rest_rotation,
    rotation_around,
    target_names,
    without_matrix,
)
from facestream.files.gltf_tracks import GENERATOR, AnimationTracks
from facestream.files.rotation import inverse, multiplied, rotations_of
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames
from facestream.visemes import MESH_NAMES, MOUTH

_KEPT_OF_NODES = ("name", "children", "translation", "rotation", "scale", "matrix", "mesh")


@dataclass(frozen=True, slots=True)
class MeshReport:
    """What was found on a mesh: ARKit curves that it has, those that it lacks, and whether visemes move it."""

    found: tuple[str, ...]
    missing: tuple[str, ...]
    has_visemes: bool


def write_on_mesh(
    path: Path,
    mesh: Path,
    frames: Frames,
    frame_rate: FrameRate,
    visemes: Float32 | None = None,
    *,
    animation_only: bool = False,
) -> MeshReport:
    """Write the GLB `path`: the glTF file `mesh` with `frames` as its first animation.

    With `visemes` [F, V] the mouth is moved by the targets that are named after visemes, where there are any, and by no
    others. Raises `InvalidValue` for a file that is no glTF, or has no morph target of those names.
    """
    builder = GlbFile(mesh).reopened()
    try:
        if animation_only:
            builder = _without_geometry(builder.document)
        report = _animate(builder, mesh, frames, frame_rate, visemes)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InvalidValue(str(mesh), f"a broken file ({error!r})", "a glTF file with a face") from error
    builder.write(path)
    return report


def write_animation_only(path: Path, frames: Frames, frame_rate: FrameRate, visemes: Float32 | None = None) -> None:
    """Write the GLB `path`: tracks for `face` and for `head` with its eyes, and no mesh to speak of.

    With `visemes` [F, V] the targets of these names follow those of the 52 curves. Raises `InvalidValue` for a take
    without frames.
    """
    names = [*ARKIT_NAMES, *(MESH_NAMES if visemes is not None else ())]
    nodes = [{"name": "head", "children": [1, 2]}, {"name": "eye_left"}, {"name": "eye_right"}]
    builder = GlbBuilder({
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0, 3]}],
        "nodes": [*nodes, {"name": "face", "mesh": 0}],
    })  # fmt: skip
    builder.document["meshes"] = [_Points(builder).mesh("face", names, [0.0] * len(names))]
    tracks = AnimationTracks(builder, frames, frame_rate)
    for node, turns in enumerate(rotations_of(frames)):
        tracks.rotation(node, turns)
    tracks.weights(3, frames.weights if visemes is None else np.concatenate([frames.weights, visemes], axis=1))
    tracks.write()
    builder.write(path)


def _animate(
    builder: GlbBuilder, mesh: Path, frames: Frames, frame_rate: FrameRate, visemes: Float32 | None
) -> MeshReport:
    document = builder.document
    tracks = AnimationTracks(builder, frames, frame_rate)
    faces = [
        (index, node, document["meshes"][node["mesh"]])
        for index, node in enumerate(document.get("nodes", []))
        if "mesh" in node
    ]
    names = [name for _, _, entry in faces for name in target_names(entry)]
    curves = {curve for name in names if (curve := curve_of(name)) is not None}
    has_visemes = visemes is not None and any(viseme_of(name) is not None for name in names)
    if not curves and not has_visemes:
        wanted = "morph targets named after ARKit shapes" + (" or visemes" if visemes is not None else "")
        told = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "none"
        raise InvalidValue(str(mesh), f"morph targets {told}", f"{wanted}, for example jawOpen")
    for index, node, entry in faces:
        columns = _columns(target_names(entry), frames, visemes if has_visemes else None)
        if columns:
            count = len(entry["primitives"][0].get("targets", target_names(entry)))
            rest = node.get("weights", entry.get("weights", [0.0] * count))
            weights = np.tile(np.array(rest, np.float32), (frames.count, 1))
            for place, values in columns.items():
                weights[:, place] = values
            tracks.weights(index, weights)
    _turn(document, tracks, frames, turns_eyes=not any(ARKIT_NAMES[one].startswith("eyeLook") for one in curves))
    tracks.write()
    return MeshReport(
        tuple(ARKIT_NAMES[one] for one in sorted(curves)),
        tuple(name for one, name in enumerate(ARKIT_NAMES) if one not in curves),
        has_visemes,
    )


def _columns(names: list[str], frames: Frames, visemes: Float32 | None) -> dict[int, Float32]:
    """Place among a mesh's targets -> its weights `[F]`."""
    found: dict[int, Float32] = {}
    for place, name in enumerate(names):
        curve, viseme = curve_of(name), viseme_of(name)
        if viseme is not None and visemes is not None:
            found[place] = visemes[:, viseme]
        elif curve is not None:
            # moved by visemes, the mouth must not be moved twice
            is_twice = visemes is not None and bool(MOUTH[curve])
            found[place] = np.zeros(frames.count, np.float32) if is_twice else frames.weights[:, curve]
    return found


def _turn(document: Json, tracks: AnimationTracks, frames: Frames, *, turns_eyes: bool) -> None:
    """Turn head and eyes from how they stand, about the axes of the scene."""
    head, left, right = rotations_of(frames)
    wanted: list[tuple[Sequence[str], Float32]] = [(HEAD, head)] if frames.pose is not None else []
    if turns_eyes:
        wanted += [(EYES["left"], left), (EYES["right"], right)]
    for names, turns in wanted:
        index = node_named(document, names, plain=True)
        if index is not None:
            node = document["nodes"][index]
            without_matrix(node)
            around, rest = rotation_around(document, index), rest_rotation(node)
            local = multiplied(inverse(around), multiplied(turns.astype(np.float64), multiplied(around, rest)))
            tracks.rotation(index, (local / np.linalg.norm(local, axis=1, keepdims=True)).astype(np.float32))


def _without_geometry(document: Json) -> GlbBuilder:
    """The same scene of names: nodes as they stand, each mesh a point that its targets leave where it is."""
    builder = GlbBuilder({key: document[key] for key in ("asset", "scene", "scenes") if key in document})
    builder.document["nodes"] = [
        {key: node[key] for key in _KEPT_OF_NODES if key in node} for node in document.get("nodes", [])
    ]
    points = _Points(builder)
    meshes = []
    for entry in document.get("meshes", []):
        count = len(entry["primitives"][0].get("targets", []))
        names = target_names(entry)
        meshes.append(points.mesh(str(entry.get("name", "")), names, entry.get("weights", [0.0] * count)))
    if meshes:
        builder.document["meshes"] = meshes
    return builder


class _Points:
    """Meshes of one point: glTF knows no weights without a mesh."""

    def __init__(self, builder: GlbBuilder) -> None:
        self._still = builder.accessor(np.zeros((1, 3), np.float32), bounded=True)

    def mesh(self, name: str, names: list[str], weights: list[float]) -> Json:
        primitive: Json = {"attributes": {"POSITION": self._still}, "mode": 0}
        entry: Json = {"name": name, "primitives": [primitive]}
        if weights:
            primitive["targets"] = [{"POSITION": self._still} for _ in weights]
            entry |= {"weights": list(weights), "extras": {"targetNames": names}}
        return entry
