"""A recorded face in a glTF file of any program: animated morph targets with ARKit names, on one mesh or several.

A name that several meshes have (lashes follow the lids) counts where it moves most. Between keys motion is a straight
line, or holds where the file says STEP. Head and eyes turn as their nodes do, seen from how these stand in the scene.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.errors import InvalidValue
from facestream.files.curve_names import curve_of
from facestream.files.glb import GlbFile, Json
from facestream.files.gltf_nodes import EYES, HEAD, bare_name, rest_rotation, rotation_around, target_names
from facestream.files.recorded import LARGEST_WEIGHT, RecordedFace
from facestream.files.rotation import inverse, multiplied
from facestream.types import Float32, Pose

_PARTS = {"head": HEAD, "left eye": EYES["left"], "right eye": EYES["right"]}
_TURNING = {name for names in _PARTS.values() for name in names}
_MAY_BE_MISSING = ("tongueOut",)
_FULL = {"i1": 127.0, "u1": 255.0, "i2": 32767.0, "u2": 65535.0}
"""What integers that stand for -1..1 or 0..1 are divided by (glTF 2.0, section 3.11)."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class _Track:
    """Keys `values` [K, N] at `times` [K] for `columns` [N] of the curves (or the parts of a quaternion)."""

    times: Float64
    values: Float64
    columns: list[int]
    holds: bool

    def at(self, times: Float64) -> Float64:
        """Values [F, N]; before the first key and behind the last one they stand still."""
        if self.holds:
            return self.values[np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, None)]
        return np.stack([np.interp(times, self.times, column) for column in self.values.T], axis=1)


def read_gltf_take(path: Path) -> RecordedFace:
    """Times [F], weights [F, 52] and rotations of head and eyes of the first animation that moves a face.

    The times are the keys of the track that has most. Raises `InvalidValue` for a file without such an animation, with
    missing curves, or with numbers that are none of weights.
    """
    file = GlbFile(path)
    try:
        faces, turns = _tracks(file)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InvalidValue(str(path), f"a broken animation ({error!r})", "a glTF file with an animated face") from error
    if not faces:
        raise InvalidValue(str(path), "no animated morph targets with ARKit names", "a glTF file with an animated face")
    known = {column for track in faces for column in track.columns}
    missing = [name for i, name in enumerate(ARKIT_NAMES) if i not in known and name not in _MAY_BE_MISSING]
    if missing:
        told = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise InvalidValue(str(path), f"no morph targets for {told}", f"all of the {CURVE_COUNT} shapes by name")
    times = max((track.times for track in faces), key=len)
    weights = np.zeros((len(times), CURVE_COUNT))
    for track in faces:
        shown = track.at(times)
        bad = np.argwhere(~np.isfinite(shown) | (np.abs(shown - 0.5) > LARGEST_WEIGHT - 0.5))
        if bad.size:
            frame, place = bad[0]
            where = f"{path}, {ARKIT_NAMES[track.columns[place]]} at frame {frame}"
            raise InvalidValue(where, shown[frame, place], f"0 to 1 (up to {LARGEST_WEIGHT:g} is clamped)")
        weights[:, track.columns] = np.maximum(weights[:, track.columns], shown)
    return RecordedFace(times, np.clip(weights, 0.0, 1.0).astype(np.float32), _pose(path, turns, times))


def _tracks(file: GlbFile) -> tuple[list[_Track], dict[str, _Track]]:
    """Tracks of faces, and of the rotations of head and eyes from how they stand at rest."""
    document = file.document
    for animation in document.get("animations", []):
        faces: list[_Track] = []
        turns: dict[str, _Track] = {}
        for channel in animation["channels"]:
            target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
            if "node" not in target:
                continue
            node = document["nodes"][target["node"]]
            if target["path"] == "weights":
                known = [curve_of(name) for name in target_names(document["meshes"][node["mesh"]])]
                columns = [-1 if column is None else column for column in known]
                if any(column >= 0 for column in columns):
                    faces.append(_named(_track(file, sampler, columns)))
            elif target["path"] == "rotation" and bare_name(node) in _TURNING:
                track = _track(file, sampler, [0, 1, 2, 3])
                around = rotation_around(document, target["node"])
                back = inverse(multiplied(around, rest_rotation(node)))
                turned = multiplied(multiplied(around, track.values), back)
                turns.setdefault(bare_name(node), _Track(track.times, turned, track.columns, track.holds))
        if faces:
            named = {
                what: next((turns[name] for name in names if name in turns), None) for what, names in _PARTS.items()
            }
            return faces, {what: track for what, track in named.items() if track is not None}
    return [], {}


def _track(file: GlbFile, sampler: Json, columns: list[int]) -> _Track:
    times = _real(file, sampler["input"]).ravel()
    values = _real(file, sampler["output"]).ravel()
    kind = sampler.get("interpolation", "LINEAR")
    if not times.size or (np.diff(times) <= 0).any() or not np.isfinite(times).all():
        raise ValueError("times of keys that do not rise")
    keys = values.reshape(len(times), 3 if kind == "CUBICSPLINE" else 1, len(columns))
    return _Track(times, keys[:, keys.shape[1] // 2], columns, kind == "STEP")  # a spline's tangents are left out


def _named(track: _Track) -> _Track:
    """Without the morph targets that are no ARKit curve."""
    kept = [place for place, column in enumerate(track.columns) if column >= 0]
    return _Track(track.times, track.values[:, kept], [track.columns[place] for place in kept], track.holds)


def _real(file: GlbFile, accessor: int) -> Float64:
    values: npt.NDArray[Any] = file.array(accessor)
    scale = _FULL[values.dtype.str[1:]] if file.document["accessors"][accessor].get("normalized") else 1.0
    return values.astype(np.float64) / scale


def _pose(path: Path, turns: dict[str, _Track], times: Float64) -> Pose | None:
    if not turns:
        return None
    still = np.tile(np.array([0, 0, 0, 1], np.float32), (len(times), 1))
    found = {what: _rotation_at(path, what, track, times) for what, track in turns.items()}
    return Pose(found.get("head", still), found.get("left eye", still), found.get("right eye", still))


def _rotation_at(path: Path, what: str, track: _Track, times: Float64) -> Float32:
    keys = track.values * np.cumprod(np.where(_with_last(track.values) < 0.0, -1.0, 1.0))[:, None]  # the short way
    turned = _Track(track.times, keys, track.columns, track.holds).at(times)
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    if not np.isfinite(turned).all() or lengths.min() < 0.5:
        raise InvalidValue(f"{path}, rotation of the {what}", "numbers that are no rotation", "unit quaternions")
    return np.asarray(turned / lengths, np.float32)


def _with_last(keys: Float64) -> Float64:
    """Cosine [K] between each key and the one before; 1 for the first."""
    return np.concatenate([[1.0], np.einsum("ki,ki->k", keys[1:], keys[:-1])])
