"""A viseme track beside a take, for formats that have no place for it: the timecode of Live Link Face, 15 columns."""

from pathlib import Path

from facestream.files.csv import cell_text, timecode
from facestream.timebase import FrameRate
from facestream.types import Float32
from facestream.visemes import VISEMES

HEADER = ("Timecode", *VISEMES)


def write_viseme_csv(path: Path, visemes: Float32, first_index: int, frame_rate: FrameRate) -> None:
    """Write viseme weights `[F, V]`, the first row those of frame `first_index`."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(HEADER) + "\n")
        for offset, row in enumerate(visemes.tolist()):
            cells = ",".join(map(cell_text, row))
            file.write(f"{timecode((first_index + offset) / frame_rate.fraction)},{cells}\n")
