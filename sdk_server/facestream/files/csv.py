"""Takes of the Live Link Face app: its CSV to the letter when writing, tolerant when reading (engine-formats 2.1)."""

import csv
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES, CSV_NAMES, CURVE_COUNT, INDEX
from facestream.errors import InvalidValue
from facestream.files.recorded import LARGEST_WEIGHT, RecordedFace
from facestream.files.rotation import angles_of, rotation_of
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, Pose

TIMECODE_RATE = 60
VALUE_COUNT = 61
TIMECODE_RATES = (1, 240)
ROTATIONS = tuple(f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))


def _header_name(curve: str) -> str:
    return curve[0].upper() + curve[1:]


HEADER = ("Timecode", "BlendShapeCount", *map(_header_name, CSV_NAMES), *ROTATIONS)
_CSV_COLUMNS = [INDEX[name] for name in CSV_NAMES]
_MAY_BE_MISSING = ("tongueOut",)
"""Apps older than ARKit 2 write 51 shapes."""


def write_csv(path: Path, frames: Frames, frame_rate: FrameRate) -> None:
    """Write frames as the app does; frame 0 has the timecode 00:00:00:00.000."""
    values = np.zeros((frames.count, VALUE_COUNT), np.float32)
    values[:, :CURVE_COUNT] = frames.weights[:, _CSV_COLUMNS]
    if frames.pose is not None:
        rotations = (frames.pose.head, frames.pose.left_eye, frames.pose.right_eye)
        values[:, CURVE_COUNT:] = np.concatenate([angles_of(rotation) for rotation in rotations], axis=1)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(HEADER) + "\n")
        for offset, row in enumerate(values.tolist()):
            time_s = (frames.first_index + offset) / frame_rate.fraction
            cells = ",".join(map(cell_text, row))
            file.write(f"{timecode(time_s)},{VALUE_COUNT},{cells}\n")


def timecode(time_s: Fraction) -> str:
    """`HH:MM:SS:FF.mmm` at 60 frames a second; `mmm` is thousandths of a frame. Midnight wraps."""
    thousandths = round(time_s * TIMECODE_RATE * 1000)
    frames, fraction = divmod(thousandths, 1000)
    seconds, frame = divmod(frames, TIMECODE_RATE)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minute:02d}:{second:02d}:{frame:02d}.{fraction:03d}"


def read_csv(path: Path, timecode_rate: int | None = None) -> RecordedFace:
    """Read a take of the app, or of a tool that writes like it.

    Columns are found by name, in any order; unknown columns are ignored; a missing `TongueOut` or missing rotations
    count as rest. The timecode's rate is not in the file: without `timecode_rate` it is inferred from the largest
    frame number. Raises `InvalidValue` naming the file and the first thing that is wrong.
    """
    if timecode_rate is not None and not TIMECODE_RATES[0] <= timecode_rate <= TIMECODE_RATES[1]:
        raise InvalidValue("timecode_rate", timecode_rate, f"{TIMECODE_RATES[0]} to {TIMECODE_RATES[1]}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file, skipinitialspace=True) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidValue(str(path), f"a file that can not be read ({error})", "a Live Link Face CSV") from error
    places = {name.strip().lower(): place for place, name in enumerate(header)}
    if "timecode" not in places:
        raise InvalidValue(str(path), f"a first line that begins {','.join(header)[:60]!r}", "a header with Timecode")
    named = [name.strip().lower() for name in header]
    twice = next((name for name in ("Timecode", *ARKIT_NAMES, *ROTATIONS) if named.count(name.lower()) > 1), None)
    if twice:
        raise InvalidValue(str(path), f"more than one column {_header_name(twice)}", "each column once")
    missing = [name for name in ARKIT_NAMES if name.lower() not in places and name not in _MAY_BE_MISSING]
    if missing:
        told = ", ".join(map(_header_name, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise InvalidValue(str(path), f"no column {told}", f"all of the {CURVE_COUNT} shapes by name")
    if not rows:
        raise InvalidValue(str(path), "a header without frames", "at least one frame")
    weights = _values(path, rows, places, ARKIT_NAMES)
    worst = np.unravel_index(int(np.abs(weights - 0.5).argmax()), weights.shape)
    if not LARGEST_WEIGHT >= weights[worst] >= 1.0 - LARGEST_WEIGHT:
        raise InvalidValue(
            f"{path}, line {worst[0] + 2}, {_header_name(ARKIT_NAMES[worst[1]])}",
            weights[worst],
            f"0 to 1 (up to {LARGEST_WEIGHT:g} is clamped)",
        )
    pose = None
    if all(name.lower() in places for name in ROTATIONS):
        angles = _values(path, rows, places, ROTATIONS)
        pose = Pose(rotation_of(angles[:, :3]), rotation_of(angles[:, 3:6]), rotation_of(angles[:, 6:]))
    times_s = _times(path, [row[places["timecode"]] for row in rows], timecode_rate)
    return RecordedFace(times_s, np.clip(weights, 0.0, 1.0), pose)


def cell_text(value: float) -> str:
    """A value as the app writes it: ten decimals, no minus before zero."""
    return f"{value + 0.0:.10f}"


def _values(path: Path, rows: Sequence[Sequence[str]], places: dict[str, int], names: Sequence[str]) -> Float32:
    """`[F, len(names)]`; a column that the file lacks is zero."""
    values = np.zeros((len(rows), len(names)), np.float32)
    columns = [(column, places[name.lower()]) for column, name in enumerate(names) if name.lower() in places]
    for line, row in enumerate(rows):
        for column, place in columns:
            cell = row[place] if place < len(row) else "nothing"
            try:
                values[line, column] = float(cell)
            except ValueError:
                raise InvalidValue(
                    f"{path}, line {line + 2}, {_header_name(names[column])}", repr(cell), "a number"
                ) from None
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        line, column = bad[0]
        raise InvalidValue(
            f"{path}, line {line + 2}, {_header_name(names[column])}", values[line, column], "a finite number"
        )
    return values


_TIMECODE = re.compile(r"(\d+):(\d+):(\d+):(\d+)(?:\.(\d+))?")


def _times(
    path: Path, timecodes: Sequence[str], timecode_rate: int | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    matches = [_TIMECODE.fullmatch(text.strip()) for text in timecodes]
    for line, (match, text) in enumerate(zip(matches, timecodes, strict=True)):
        if match is None:
            raise InvalidValue(f"{path}, line {line + 2}, Timecode", repr(text), "HH:MM:SS:FF.mmm")
    parts = [match.groups(default="0") for match in matches if match is not None]
    frames = [int(part[3]) for part in parts]
    rate = timecode_rate or _inferred_rate(max(frames))
    for line, (text, part) in enumerate(zip(timecodes, parts, strict=True)):
        if int(part[1]) > 59 or int(part[2]) > 59 or int(part[3]) >= rate:
            where = f"{path}, line {line + 2}, Timecode"
            allowed = f"minutes and seconds to 59, frames to {rate - 1} (timecode rate {rate})"
            raise InvalidValue(where, repr(text), allowed)
    return np.array(
        [
            3600 * int(hour) + 60 * int(minute) + int(second) + float(f"{frame}.{fraction}") / rate
            for hour, minute, second, frame, fraction in parts
        ]
    )


def _inferred_rate(largest_frame: int) -> int:
    """Frame numbers from 60 on need 120 a second, from 30 on sixty, above 24 thirty; the app's 60 where none tells."""
    if largest_frame >= 60:
        return 120
    if largest_frame >= 30:
        return 60
    return 30 if largest_frame > 24 else 60
