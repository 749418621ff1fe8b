"""The second picture of a model card: where the head goes, across the seams of the windows that it was made in.

    python -m facestream_bench.diffposetalk_curves --bundle DIR -o CURVES.jpg

Nod, turn and tip of the head in degrees over one recording in two named styles, and hop by hop as of a live stream.
Upright lines are seams: a window of a recording is 3.84 s long behind a short first one, a live hop 0.16 s.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facestream.audio.files import read_audio
from facestream.audio.resample import Resampler
from facestream.types import Float32
from facestream_bench.acted_sheet import EXAMPLE
from facestream_bench.diffposetalk_mover import FRAME_RATE, Mover

STYLES = ("still", "nodding")
SECONDS = 12.0
_WIDTH, _HEIGHT, _LEFT, _TOP = 1000, 190, 64, 26
_FINER = 2
"""Lines are drawn at so many times the size and averaged down."""
_PAPER, _INK, _SEAM, _ZERO = (250, 250, 248), (40, 44, 48), (206, 208, 212), (150, 152, 156)
_AXES = (("nod", (190, 60, 50)), ("turn", (40, 100, 190)), ("tip", (60, 140, 70)))


class Panel(NamedTuple):
    """One row of the picture: `title`, the head [F, 3] in degrees, frames [N] at which windows begin."""

    title: str
    head: Float32
    seams: NDArray[np.intp]


def curves_picture(panels: Sequence[Panel]) -> Image.Image:
    """All panels under each other, with one scale for the angles."""
    most = max(1.0, float(np.ceil(max(np.abs(panel.head).max() for panel in panels))))
    picture = Image.new("RGB", (_WIDTH * _FINER, _HEIGHT * _FINER * len(panels)), _PAPER)
    for row, panel in enumerate(panels):
        _draw(picture, panel, row * _HEIGHT, most)
    return picture.resize((_WIDTH, _HEIGHT * len(panels)), Image.Resampling.BOX)


def _draw(picture: Image.Image, panel: Panel, top: int, most: float) -> None:
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13 * _FINER)
    right, upper, lower = _WIDTH - 12, top + _TOP, top + _HEIGHT - 22
    frames = max(len(panel.head) - 1, 1)

    def at(frame: float, degrees: float) -> tuple[float, float]:
        x = _LEFT + (right - _LEFT) * frame / frames
        return x * _FINER, (upper + (lower - upper) * (0.5 - 0.5 * degrees / most)) * _FINER

    def write(x: float, y: float, text: str, ink: tuple[int, int, int], anchor: str) -> None:
        draw.text((x * _FINER, y * _FINER), text, fill=ink, font=font, anchor=anchor)

    for seam in panel.seams:
        draw.line([at(seam, most), at(seam, -most)], fill=_SEAM, width=_FINER)
    for degrees in (-most, 0.0, most):
        draw.line([at(0, degrees), at(frames, degrees)], fill=_ZERO, width=1)
        write(_LEFT - 8, at(0, degrees)[1] / _FINER, f"{degrees:+.0f}°" if degrees else "0°", _INK, "rm")
    write(_LEFT, top + 12, panel.title, _INK, "lm")
    for place, (name, ink) in enumerate(_AXES):
        write(right - 50 * (len(_AXES) - 1 - place), top + 12, name, ink, "rm")
        line = [at(frame, float(degrees)) for frame, degrees in enumerate(panel.head[:, place])]
        draw.line(line, fill=ink, width=2 * _FINER, joint="curve")
    for second in range(0, frames // FRAME_RATE + 1, 2):
        write(at(second * FRAME_RATE, 0.0)[0] / _FINER, lower + 12, f"{second} s", _INK, "mm")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True, help="name or folder of a bundle that moves the head")
    parser.add_argument("--styles", nargs="+", default=STYLES)
    parser.add_argument("--clip", type=Path, default=EXAMPLE, help="a recording; it is repeated where it is short")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    mover = Mover(arguments.bundle)
    samples, rate_hz = read_audio(arguments.clip)
    resampler = Resampler(rate_hz)
    speech = np.resize(np.concatenate((resampler.push(samples), resampler.flush())), round(SECONDS * 16_000))
    panels = []
    for name in arguments.styles:
        for way, move in (("recording, windows of 3.84 s", mover.clip), ("live, hops of 0.16 s", mover.live)):
            made = move(speech, mover.named(name), 1)
            panels.append(Panel(f"{name}: {way}", np.degrees(made.head), made.seams))
    curves_picture(panels).save(arguments.output, optimize=True, quality=88)


if __name__ == "__main__":
    main()
