"""The shipped open head as a mesh that ARKit weights move: what pictures and glTF files are made from.

Reads the arrays of `facestream_bundles/head/open_head.npz` that need no FLAME layer. Metres; +Y up, +Z forward, +X to
the subject's left.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.curves import CURVE_COUNT
from facestream.errors import BundleError
from facestream.types import Float32, Int64

HEAD_FORMAT = 1
EYE_LAYERS = ("white", "iris", "pupil")

_ROOT, _NECK, _LEFT_EYE, _RIGHT_EYE = 0, 1, 3, 4


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """`V` vertices, `T` triangles.

    `template` [V, 3]; `triangles` [T, 3]; `parts` name -> [first, end) of the triangles; `arkit_dirs` [52, V, 3]
    displacement of each full shape; `colours` [V, 3] uint8 sRGB; `head_share` [V]: how far a vertex turns with the
    head (1 on the face, fading to 0 at the rim of the bust); `neck`, `left_eye`, `right_eye`: pivots [3]; `digest` as
    rig profiles name the head.
    """

    template: Float32
    triangles: Int64
    parts: Mapping[str, tuple[int, int]]
    arkit_dirs: Float32
    colours: npt.NDArray[np.uint8]
    head_share: Float32
    neck: Float32
    left_eye: Float32
    right_eye: Float32
    digest: str

    @property
    def vertex_count(self) -> int:
        return len(self.template)

    def part_triangles(self, *names: str) -> Int64:
        """Triangles [t, 3] of the named parts."""
        return np.concatenate([self.triangles[slice(*self.parts[name])] for name in names])

    def eye_vertices(self, side: str) -> Int64:
        """Vertices of the eyeball on `side`, "left" or "right"."""
        return np.unique(self.part_triangles(*(f"{layer}_{side}" for layer in EYE_LAYERS)))

    def posed(self, weights: Float32) -> Float32:
        """Vertices [V, 3] for weights [52]."""
        used = np.flatnonzero(weights)
        posed: Float32 = self.template + np.tensordot(weights[used], self.arkit_dirs[used], axes=1)
        return posed

    def normals(self, vertices: Float32) -> Float32:
        """Unit normals [V, 3] of the mesh at `vertices` [V, 3], triangles weighted by area."""
        a, b, c = (vertices[self.triangles[:, corner]] for corner in range(3))
        face = np.cross(b - a, c - a)
        flat = self.triangles.ravel(order="F")
        count = len(vertices)
        summed = np.stack([np.bincount(flat, np.tile(face[:, axis], 3), minlength=count) for axis in range(3)], axis=1)
        length = np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-20)
        return np.asarray(summed / length, np.float32)


@cache
def open_head() -> HeadMesh:
    """The open head that is installed with the package. Raises `BundleError`."""
    return load_head_mesh(Path(str(files("facestream_bundles"))) / "head" / "open_head.npz")


def load_head_mesh(path: Path) -> HeadMesh:
    """Read a head file with parts, colours and ARKit shapes. Raises `BundleError`."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _from_arrays(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: not an open head of format {HEAD_FORMAT} ({error}); install again") from error


def joints_of(regressor: Float32, template: Float32) -> Float32:
    """Places of joints [J, 3] by `regressor` [J, V], where the vertices are at `template` [V, 3].

    The same on every processor: single precision would be rounded as its matrix products are put together.
    """
    return np.asarray(regressor.astype(np.float64) @ template.astype(np.float64), np.float32)


def dense(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Float32:
    """An array of which the file keeps only what is not zero: its shape, steps between flat places, and values."""
    shape = tuple(int(size) for size in arrays[f"{name}_shape"])
    values = arrays[f"{name}_values"].astype(np.float32)
    flat = np.zeros((int(np.prod(shape[:2])), *shape[2:]), np.float32)
    flat[np.cumsum(arrays[f"{name}_index"], dtype=np.int64)] = values
    return flat.reshape(shape)


def _from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> HeadMesh:
    if int(arrays["format"]) != HEAD_FORMAT:
        raise ValueError(f"format {int(arrays['format'])}")
    template = arrays["template"]
    joints = joints_of(dense("joint_regressor", arrays), template)
    ranges = zip(arrays["part_names"], arrays["part_ranges"], strict=True)
    mesh = HeadMesh(
        template=template,
        triangles=arrays["triangles"].astype(np.int64),
        parts={str(name): (int(first), int(end)) for name, (first, end) in ranges},
        arkit_dirs=dense("arkit_dirs", arrays),
        colours=arrays["colours"],
        head_share=1 - dense("skinning", arrays)[:, _ROOT],
        neck=joints[_NECK],
        left_eye=joints[_LEFT_EYE],
        right_eye=joints[_RIGHT_EYE],
        digest=str(arrays["digest"]),
    )
    if mesh.arkit_dirs.shape != (CURVE_COUNT, *template.shape) or mesh.triangles.max() >= len(template):
        raise ValueError("arrays do not fit each other")
    return mesh
