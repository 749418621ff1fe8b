"""Takes as JSON, for tools and people: one list of 52 weights a frame."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, Pose
from facestream.visemes import VISEMES

_ROTATIONS = ("head", "left_eye", "right_eye")


def write_json(path: Path, frames: Frames, frame_rate: FrameRate, visemes: Float32 | None = None) -> None:
    """Keys `frame_rate` ("30/1"), `first_index`, `curve_names`, `weights`, and the rotations where there are any.

    With `visemes` `[F, V]` also `viseme_names` and `visemes`.
    """
    content: dict[str, object] = {
        "frame_rate": str(frame_rate),
        "first_index": frames.first_index,
        "curve_names": list(ARKIT_NAMES),
        "weights": _rounded(frames.weights.tolist()),
    }
    if frames.pose is not None:
        for name in _ROTATIONS:
            content[name] = _rounded(getattr(frames.pose, name).tolist())
    if visemes is not None:
        content |= {"viseme_names": list(VISEMES), "visemes": _rounded(visemes.tolist())}
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def read_json(path: Path) -> tuple[Frames, FrameRate]:
    """What `write_json` wrote; curves are found by name. Raises `InvalidValue` naming the file and what is wrong."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        names = list(content["curve_names"])
        rate = Fraction(content["frame_rate"])
        weights = np.array(content["weights"], np.float32).reshape(-1, len(names))
        weights = np.ascontiguousarray(weights[:, [names.index(name) for name in ARKIT_NAMES]])
        first_index = int(content["first_index"])
        poses = [np.array(content[name], np.float32).reshape(len(weights), 4) for name in _ROTATIONS if name in content]
    except (OSError, RecursionError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InvalidValue(str(path), f"a file that is no take ({error})", "a JSON take of facestream") from error
    if not np.isfinite(weights).all():
        raise InvalidValue(f"{path}, weights", "values that are not finite", "finite weights")
    pose = Pose(*poses) if len(poses) == len(_ROTATIONS) else None
    return Frames(first_index, weights, pose), FrameRate(rate.numerator, rate.denominator)


def _rounded(rows: list[list[float]]) -> list[list[float]]:
    """Six decimals: finer than any rig shows, a third of the size."""
    return [[round(value, 6) for value in row] for row in rows]
