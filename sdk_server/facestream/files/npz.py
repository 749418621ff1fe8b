"""Takes for numpy: one array per thing, names included, no pickles."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.errors import InvalidValue
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, Pose
from facestream.visemes import VISEMES

_POSE = ("head", "left_eye", "right_eye")


def write_npz(path: Path, frames: Frames, frame_rate: FrameRate, visemes: Float32 | None = None) -> None:
    """Arrays `weights` `[F, C]`, `curve_names` `[C]`, `times_s` `[F]`, `frame_rate` (two integers), `first_index`.

    With rotations also `head`, `left_eye`, `right_eye` `[F, 4]`, quaternions x y z w; with `visemes` `[F, V]` these and
    their `viseme_names` `[V]`.
    """
    indices = np.arange(frames.first_index, frames.end_index)
    rotations = {} if frames.pose is None else {name: getattr(frames.pose, name) for name in _POSE}
    track: dict[str, Any] = {} if visemes is None else {"visemes": visemes, "viseme_names": np.array(VISEMES)}
    with path.open("wb") as file:  # a file object, because numpy adds ".npz" to names that lack it
        np.savez_compressed(
            file,
            weights=frames.weights,
            curve_names=np.array(ARKIT_NAMES),
            times_s=indices * frame_rate.denominator / frame_rate.numerator,
            frame_rate=np.array([frame_rate.numerator, frame_rate.denominator]),
            first_index=np.int64(frames.first_index),
            **rotations,
            **track,
        )


def read_npz(path: Path) -> tuple[Frames, FrameRate]:
    """What `write_npz` wrote; curves are found by name. Raises `InvalidValue` naming the file and what is wrong."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = dict(content)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidValue(str(path), f"a file that can not be read ({error})", "an npz of facestream") from error
    missing = {"weights", "curve_names", "frame_rate", "first_index"} - set(arrays)
    if missing:
        raise InvalidValue(str(path), f"no array {', '.join(sorted(missing))}", "an npz of facestream")
    names = [str(name) for name in arrays["curve_names"]]
    unknown = set(ARKIT_NAMES) - set(names)
    if unknown or arrays["weights"].shape[1:] != (len(names),):
        raise InvalidValue(
            str(path),
            f"weights {arrays['weights'].shape}, no curve {', '.join(sorted(unknown)) or '-'}",
            f"weights [F, {CURVE_COUNT}] with the {CURVE_COUNT} ARKit names",
        )
    weights = arrays["weights"].astype(np.float32)[:, [names.index(name) for name in ARKIT_NAMES]]
    if not np.isfinite(weights).all():
        raise InvalidValue(f"{path}, weights", "values that are not finite", "finite weights")
    pose = Pose(*(arrays[name] for name in _POSE)) if all(name in arrays for name in _POSE) else None
    numerator, denominator = (int(value) for value in arrays["frame_rate"])
    return Frames(int(arrays["first_index"]), weights, pose), FrameRate(numerator, denominator)
