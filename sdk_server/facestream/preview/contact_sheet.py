"""One picture that tells whether a take is right: rendered frames with captions over the curves they come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facestream.curves import CURVE_COUNT, INDEX
from facestream.errors import InvalidValue, NotFound
from facestream.preview.face import FACE, render_face
from facestream.types import Float32

MOUTH_CURVES: tuple[str, ...] = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretchLeft", "mouthRollLower", "mouthPressLeft",
    "mouthSmileLeft",
)  # fmt: skip
"""What speech moves most; the default of the curve panel."""

_INK, _PALE, _PAPER, _RULE = (236, 238, 240), (150, 157, 165), (22, 24, 27), (48, 52, 57)
_COLOURS = (
    (255, 176, 66), (92, 200, 255), (255, 105, 120), (140, 220, 110), (190, 140, 255), (255, 225, 110),
    (90, 225, 200), (255, 150, 215), (170, 180, 255), (205, 205, 205),
)  # fmt: skip
_MARGIN, _GAP, _CAPTION_HEIGHT, _TITLE_HEIGHT = 20, 6, 34, 40
_LANE_HEIGHT, _LEGEND_WIDTH, _AXIS_HEIGHT = 40, 150, 26
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf")


@dataclass(frozen=True)
class Shown:
    """A frame on the sheet: its row in the take, and what to write under it, for example the phone spoken."""

    frame: int
    caption: str


def contact_sheet(
    weights: Float32,
    times_s: Float32,
    shown: Sequence[Shown],
    *,
    title: str = "",
    curves: Sequence[str] = MOUTH_CURVES,
    head: Float32 | None = None,
    eyes: tuple[Float32, Float32] | None = None,
    tile_size: int = 256,
    columns: int = 6,
    progress: Callable[[int], None] | None = None,
) -> Image.Image:
    """Draw the take `weights` [F, 52] whose frames lie at `times_s` [F], with a tile for each frame in `shown`.

    `head` and each of `eyes` are quaternions [F, 4] x y z w; `progress` is told the count of tiles drawn. A tile
    costs about 0.3 s. Raises `InvalidValue` for shapes that do not fit, `NotFound` for an unknown curve.
    """
    _check(weights, times_s, shown, curves, columns)
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    width = max(2 * _MARGIN + columns * (tile_size + _GAP) - _GAP, 640)
    tiles_top = _MARGIN + (_TITLE_HEIGHT if title else 0)
    panel_top = tiles_top + rows * (tile_size + _CAPTION_HEIGHT + _GAP) + _GAP
    height = panel_top + len(curves) * _LANE_HEIGHT + _AXIS_HEIGHT + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=_font(20))
    for number, tile in enumerate(shown):
        picture = render_face(
            weights[tile.frame],
            None if head is None else head[tile.frame],
            tile_size,
            framing=FACE,
            eye_rotations=None if eyes is None else (eyes[0][tile.frame], eyes[1][tile.frame]),
        )
        left = _MARGIN + number % columns * (tile_size + _GAP)
        top = tiles_top + number // columns * (tile_size + _CAPTION_HEIGHT + _GAP)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left + 6, top + tile_size + 4), tile.caption, fill=_INK, font=_font(18))
        time = f"{times_s[tile.frame]:.2f} s"
        draw.text((left + tile_size - 6, top + tile_size + 8), time, fill=_PALE, font=_font(13), anchor="ra")
        if progress is not None:
            progress(number + 1)
    _draw_curves(draw, (_MARGIN, panel_top, width - _MARGIN), weights, times_s, shown, curves)
    return sheet


def _draw_curves(
    draw: ImageDraw.ImageDraw,
    frame: tuple[int, int, int],
    weights: Float32,
    times_s: Float32,
    shown: Sequence[Shown],
    curves: Sequence[str],
) -> None:
    """One lane a curve, 0 at its floor and 1 at its ceiling; a rule at each frame shown."""
    left, top, right = frame
    left += _LEGEND_WIDTH
    bottom = top + len(curves) * _LANE_HEIGHT
    first, last = float(times_s[0]), float(times_s[-1])
    scale = (right - left) / max(last - first, 1e-6)

    def across(time_s: float) -> float:
        return left + (time_s - first) * scale

    free_from = -np.inf
    for tile in shown:
        x = across(float(times_s[tile.frame]))
        draw.line((x, top, x, bottom), fill=_RULE)
        if x >= free_from:
            draw.text((x, bottom + 4), tile.caption, fill=_PALE, font=_font(12), anchor="ma")
            free_from = x + 8 * max(len(tile.caption), 1) + 6
    for lane, name in enumerate(curves):
        floor = top + (lane + 1) * _LANE_HEIGHT - 5
        colour = _COLOURS[lane % len(_COLOURS)]
        draw.line((left, floor, right, floor), fill=_RULE)
        draw.text((left - 10, floor - _LANE_HEIGHT / 2 + 4), name, fill=colour, font=_font(13), anchor="rm")
        heights = np.clip(weights[:, INDEX[name]], 0, 1) * (_LANE_HEIGHT - 9)
        points = [(across(float(time)), floor - float(rise)) for time, rise in zip(times_s, heights, strict=True)]
        if len(points) > 1:
            draw.line(points, fill=colour, width=2, joint="curve")


def _check(weights: Float32, times_s: Float32, shown: Sequence[Shown], curves: Sequence[str], columns: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != CURVE_COUNT or not len(weights):
        raise InvalidValue("weights", f"shape {weights.shape}", f"[F, {CURVE_COUNT}] with at least one frame")
    if times_s.shape != (len(weights),):
        raise InvalidValue("times_s", f"shape {times_s.shape}", f"[{len(weights)}], one time a frame")
    if not shown:
        raise InvalidValue("shown", "no frame", "at least one")
    outside = [tile.frame for tile in shown if not 0 <= tile.frame < len(weights)]
    if outside:
        raise InvalidValue("shown", f"frame {outside[0]}", f"0 to {len(weights) - 1}")
    if columns < 1:
        raise InvalidValue("columns", columns, "1 or more")
    for name in curves:
        if name not in INDEX:
            raise NotFound("curve", name, INDEX)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A system font that knows phonetic letters where there is one, else the one Pillow carries."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
