"""Takes as files: which suffix means which writer."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from facestream.errors import InvalidValue
from facestream.files.csv import write_csv
from facestream.files.gltf import write_animated_glb
from facestream.files.npz import write_npz
from facestream.timebase import FrameRate
from facestream.types import Frames

WRITERS: dict[str, Callable[[Path, Frames, FrameRate], None]] = {
    ".csv": write_csv,
    ".npz": write_npz,
    ".glb": write_animated_glb,
}


def parse_frame_rate(text: str) -> FrameRate:
    """`30` or `30000/1001` as a ratio; raises `InvalidValue` for anything else."""
    try:
        ratio = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InvalidValue("frame_rate", repr(text), "a number or a ratio, for example 30 or 30000/1001") from None
    return FrameRate(ratio.numerator, ratio.denominator)


def check_output(path: Path) -> None:
    """Refuse a path that could not be written, before any work is done."""
    if path.suffix.lower() not in WRITERS:
        raise InvalidValue("output", str(path), f"a file name ending in {', '.join(WRITERS)}")
    if not path.parent.is_dir():
        raise InvalidValue("output", str(path), f"a file in a folder that exists; {path.parent} does not")


def write_take(path: Path, frames: Frames, rate: FrameRate) -> None:
    """Write `frames` in the format that the suffix names."""
    check_output(path)
    WRITERS[path.suffix.lower()](path, frames, rate)
