"""One picture that tells whether a take is right: rendered frames with captions over the curves they come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facestream.curves import CURVE_COUNT, INDEX
from facestream.errors import InvalidValue, NotFound
from facestream.preview.face import FACE, render_face
from facestream.preview.moments import Caption, Shown, choose_moments
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames

__all__ = ["MOUTH_CURVES", "Caption", "Shown", "Sound", "contact_sheet", "write_contact_sheet"]

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


def write_contact_sheet(
    path: Path,
    frames: Frames,
    frame_rate: FrameRate,
    *,
    captions: Sequence[Caption] = (),
    pcm: Float32 | None = None,
    sample_rate_hz: int = 16_000,
    title: str = "",
    tile_count: int = 18,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the sheet of a take as PNG: the telling frames of `captions`, over sound `pcm` [T] and curves."""
    if frames.count < 2:
        raise InvalidValue("frames", f"a take of {frames.count} frames", "at least two frames")
    times_s = np.arange(frames.first_index, frames.end_index) * frame_rate.denominator / frame_rate.numerator
    pose = frames.pose
    sheet = contact_sheet(
        frames.weights,
        times_s.astype(np.float32),
        # the last frame is at rest: what the face does when nobody speaks belongs on the sheet
        [*choose_moments(times_s[:-1].astype(np.float32), captions, tile_count - 1), Shown(frames.count - 1, "end")],
        title=title,
        sound=None if pcm is None else Sound(pcm, sample_rate_hz),
        head=None if pose is None else pose.head,
        eyes=None if pose is None else (pose.left_eye, pose.right_eye),
        progress=progress,
    )
    sheet.save(path, optimize=True)


@dataclass(frozen=True)
class Sound:
    """Mono samples [T] from time 0 on, for the lane above the curves."""

    pcm: Float32
    sample_rate_hz: int


def contact_sheet(
    weights: Float32,
    times_s: Float32,
    shown: Sequence[Shown],
    *,
    title: str = "",
    sound: Sound | None = None,
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
    lanes = len(curves) + (sound is not None)
    height = panel_top + lanes * _LANE_HEIGHT + _AXIS_HEIGHT + _MARGIN
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
    panel = _Panel(draw, _MARGIN + _LEGEND_WIDTH, panel_top, width - _MARGIN, times_s)
    panel.rule(shown, lanes)
    if sound is not None:
        panel.waveform(sound)
    for name in curves:
        panel.curve(name, weights[:, INDEX[name]])
    return sheet


class _Panel:
    """Lanes under the tiles: time runs to the right, one lane for the sound and one for each curve."""

    def __init__(self, draw: ImageDraw.ImageDraw, left: int, top: int, right: int, times_s: Float32) -> None:
        self._draw, self._left, self._top, self._right = draw, left, top, right
        self._times_s = times_s
        self._first = float(times_s[0])
        self._scale = (right - left) / max(float(times_s[-1]) - self._first, 1e-6)
        self._lane = 0

    def rule(self, shown: Sequence[Shown], lanes: int) -> None:
        """A line through all lanes at each frame shown, named below where there is room."""
        bottom = self._top + lanes * _LANE_HEIGHT
        free_from = -np.inf
        for tile in shown:
            x = self._across(float(self._times_s[tile.frame]))
            self._draw.line((x, self._top, x, bottom), fill=_RULE)
            name = tile.caption.split(" ")[0]
            if name and x >= free_from:
                self._draw.text((x, bottom + 4), name, fill=_PALE, font=_font(12), anchor="ma")
                free_from = x + 8 * len(name) + 6

    def waveform(self, sound: Sound) -> None:
        middle = self._next_lane("sound", _PALE) - (_LANE_HEIGHT - 5) / 2
        loudest = max(float(np.abs(sound.pcm).max(initial=0.0)), 1e-6)
        for x in range(self._left, self._right):
            start = int((self._first + (x - self._left) / self._scale) * sound.sample_rate_hz)
            end = int((self._first + (x + 1 - self._left) / self._scale) * sound.sample_rate_hz)
            part = sound.pcm[max(start, 0) : max(end, start + 1)]
            if len(part):
                low, high = (float(value) / loudest * (_LANE_HEIGHT - 8) / 2 for value in (part.min(), part.max()))
                self._draw.line((x, middle - high, x, middle - low), fill=_PALE)

    def curve(self, name: str, values: Float32) -> None:
        """0 at the floor of the lane, 1 at its ceiling."""
        colour = _COLOURS[self._lane % len(_COLOURS)]
        floor = self._next_lane(name, colour)
        self._draw.line((self._left, floor, self._right, floor), fill=_RULE)
        rises = np.clip(values, 0, 1) * (_LANE_HEIGHT - 9)
        points = [
            (self._across(float(time)), floor - float(rise)) for time, rise in zip(self._times_s, rises, strict=True)
        ]
        if len(points) > 1:
            self._draw.line(points, fill=colour, width=2, joint="curve")

    def _next_lane(self, name: str, colour: tuple[int, int, int]) -> float:
        """Floor of the next lane, with its name written beside it."""
        self._lane += 1
        floor = self._top + self._lane * _LANE_HEIGHT - 5
        place = (self._left - 10, floor - _LANE_HEIGHT / 2 + 4)
        self._draw.text(place, name, fill=colour, font=_font(13), anchor="rm")
        return floor

    def _across(self, time_s: float) -> float:
        return self._left + (time_s - self._first) * self._scale


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
