"""Takes as JSON, for tools and people: one list of 52 weights a frame."""

import json
from pathlib import Path

from facestream.curves import ARKIT_NAMES
from facestream.timebase import FrameRate
from facestream.types import Frames


def write_json(path: Path, frames: Frames, frame_rate: FrameRate) -> None:
    """Keys `frame_rate` ("30/1"), `first_index`, `curve_names`, `weights`, and the rotations where there are any."""
    content: dict[str, object] = {
        "frame_rate": str(frame_rate),
        "first_index": frames.first_index,
        "curve_names": list(ARKIT_NAMES),
        "weights": _rounded(frames.weights.tolist()),
    }
    if frames.pose is not None:
        for name in ("head", "left_eye", "right_eye"):
            content[name] = _rounded(getattr(frames.pose, name).tolist())
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def _rounded(rows: list[list[float]]) -> list[list[float]]:
    """Six decimals: finer than any rig shows, a third of the size."""
    return [[round(value, 6) for value in row] for row in rows]
