"""A FLAME-format head as a value: template, bases, joints, skinning, and its file.

Shapes: `V` vertices, `T` triangles, `S` shape components, `E` expression components, `J` = 5 joints in FLAME's
order (root, neck, jaw, left eye, right eye). Metres and radians; +Y up, +Z forward, +X to the subject's left.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.errors import BundleError
from facestream.head_mesh import HEAD_FORMAT, dense, joints_of

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

JOINT_NAMES = ("root", "neck", "jaw", "left_eye", "right_eye")
JOINT_PARENTS = (-1, 0, 1, 1, 1)
JOINT_COUNT = len(JOINT_NAMES)
ROOT, NECK, JAW, LEFT_EYE, RIGHT_EYE = range(JOINT_COUNT)

_QUANTISED = 127.0


@dataclass(frozen=True)
class Head:
    """Everything a FLAME layer needs; the open head adds parts, landmarks and its exact ARKit targets.

    `template` [V, 3]; `triangles` [T, 3]; `shape_dirs` [V, 3, S]; `expression_dirs` [V, 3, E];
    `joint_regressor` [J, V]; `skinning` [V, J], rows sum to 1; `pose_dirs` [V, 3, 36] or None (correctives for the
    rotation matrices of the four joints below the root, minus identity).
    `parts` name -> [first, end) range of triangles. `landmarks` name -> vertex index.
    `arkit_dirs` [52, V, 3]: displacement of each full ARKit shape, or None where it is not known (a user's FLAME).
    `colours` [V, 3] uint8 sRGB for pictures, or None.
    """

    template: Float32
    triangles: Int64
    shape_dirs: Float32
    expression_dirs: Float32
    joint_regressor: Float32
    skinning: Float32
    pose_dirs: Float32 | None = None
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    landmarks: Mapping[str, int] = field(default_factory=dict)
    arkit_dirs: Float32 | None = None
    colours: npt.NDArray[np.uint8] | None = None

    @property
    def vertex_count(self) -> int:
        return int(self.template.shape[0])

    @property
    def joints(self) -> Float32:
        """Neutral joint positions [J, 3]."""
        return joints_of(self.joint_regressor, self.template)

    def part_vertices(self, *names: str) -> Int64:
        """Sorted vertex indices of the named parts."""
        return np.unique(np.concatenate([self.triangles[slice(*self.parts[name])] for name in names]))

    def digest(self) -> str:
        """SHA-256 over what gives motion its meaning (joints, and skin where the head has parts).

        Rig profiles and models name it; teeth, colours or a longer tongue do not change it.
        """
        vertices = self.part_vertices("skin", "lips") if self.parts else np.arange(self.vertex_count)
        digest = hashlib.sha256()
        joints = self.joints.round(5) + np.float32(0)  # no zero is negative
        for array in (self.template[vertices], self.expression_dirs[vertices], self.skinning[vertices], joints):
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def save_head(head: Head, path: Path | io.BytesIO) -> None:
    """Write `head` as npz, the same bytes for the same head.

    Bases are kept in half precision and identity components in 8 bits with a scale each (0.4 % of the largest
    displacement): pass the head through `rounded` first, so that what is in memory is what is on disk.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        "format": np.array(HEAD_FORMAT),
        "digest": np.array(head.digest()),
        "template": head.template,
        "triangles": head.triangles.astype(np.uint16 if head.vertex_count < 2**16 else np.uint32),
        "expression_dirs": head.expression_dirs.astype(np.float16),
        "part_names": np.array(list(head.parts)),
        "part_ranges": np.array(list(head.parts.values()), np.int32).reshape(-1, 2),
        "landmark_names": np.array(list(head.landmarks)),
        "landmark_vertices": np.array(list(head.landmarks.values()), np.int32),
    }
    arrays["shape_codes"], arrays["shape_scales"] = _quantise(head.shape_dirs)
    for name in ("joint_regressor", "skinning"):
        arrays.update(_sparse(name, getattr(head, name), np.float32))
    if head.pose_dirs is not None:
        arrays["pose_dirs"] = head.pose_dirs.astype(np.float16)
    if head.arkit_dirs is not None:
        arrays.update(_sparse("arkit_dirs", head.arkit_dirs, np.float16))
    if head.colours is not None:
        arrays["colours"] = head.colours
    save_npz(arrays, path)


def load_head(path: Path) -> Head:
    """Read what `save_head` wrote. Raises `BundleError` for a file that is no head or of another format."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _from_arrays(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(
            f"{path}: not a head file of format {HEAD_FORMAT} ({error}); build one with facestream head"
        ) from error


def rounded(head: Head) -> Head:
    """The head as it will be read back from its file."""
    buffer = io.BytesIO()
    save_head(head, buffer)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as arrays:
        return _from_arrays(arrays)


def save_npz(arrays: Mapping[str, npt.NDArray[Any]], path: Path | io.BytesIO) -> None:
    """Compressed npz without time stamps: equal arrays give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)


def _from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
    if int(arrays["format"]) != HEAD_FORMAT:
        raise ValueError(f"format {int(arrays['format'])}")
    names = [str(name) for name in arrays["part_names"]]
    landmarks = [str(name) for name in arrays["landmark_names"]]
    return Head(
        template=arrays["template"],
        triangles=arrays["triangles"].astype(np.int64),
        shape_dirs=(arrays["shape_codes"].astype(np.float32) * arrays["shape_scales"]),
        expression_dirs=arrays["expression_dirs"].astype(np.float32),
        joint_regressor=dense("joint_regressor", arrays),
        skinning=dense("skinning", arrays),
        pose_dirs=arrays["pose_dirs"].astype(np.float32) if "pose_dirs" in arrays else None,
        parts={name: (int(first), int(end)) for name, (first, end) in zip(names, arrays["part_ranges"], strict=True)},
        landmarks={name: int(vertex) for name, vertex in zip(landmarks, arrays["landmark_vertices"], strict=True)},
        arkit_dirs=dense("arkit_dirs", arrays) if "arkit_dirs_values" in arrays else None,
        colours=arrays.get("colours"),
    )


def _quantise(dirs: Float32) -> tuple[npt.NDArray[np.int8], Float32]:
    scales = (np.abs(dirs).max(axis=(0, 1), initial=0.0) / _QUANTISED).astype(np.float32)
    codes = np.round(dirs / np.where(scales > 0, scales, 1)).astype(np.int8)
    return codes, scales


def _sparse(name: str, array: Float32, dtype: type[np.floating]) -> dict[str, npt.NDArray[Any]]:
    """Only the entries (rows along the last axis, for three axes) that are not zero."""
    used = np.abs(array).max(axis=2) > 0 if array.ndim == 3 else array != 0
    return {
        f"{name}_shape": np.array(array.shape, np.int32),
        f"{name}_index": np.diff(np.flatnonzero(used), prepend=0).astype(np.uint32),
        f"{name}_values": array[used].astype(dtype),
    }
