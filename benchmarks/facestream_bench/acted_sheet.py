"""One sentence acted in several ways: a row for each way, a column for each moment, the same in all rows.

Frames are those a client gets, without blinks and gaze, which would differ from row to row by chance.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facestream.acting import ActingChange
from facestream.polish.options import PolishOptions
from facestream.preview.face import FACE, render_face
from facestream.preview.moments import Caption, choose_moments
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.timebase import FrameRate
from facestream.types import Float32

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "amiable.flac"
RATE = 50
_LEFT, _TOP = 110, 30
_PAPER, _INK = (22, 24, 27), (236, 238, 240)


def acted_sheet(
    pipeline: Pipeline,
    acts: Mapping[str, ActingChange],
    sentence: tuple[Float32, int],
    captions: Sequence[Caption],
    columns: int = 6,
    tile_size: int = 176,
) -> Image.Image:
    """The sheet of a `sentence` (samples [T] and their rate) by the name of each act. A tile costs about 0.2 s."""
    samples, rate_hz = sentence
    times = (np.arange(round(len(samples) / rate_hz * RATE)) / RATE).astype(np.float32)
    moments = choose_moments(times, captions, columns)
    sheet = Image.new("RGB", (_LEFT + len(moments) * tile_size, _TOP + len(acts) * tile_size), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, moment in enumerate(moments):
        middle = _LEFT + column * tile_size + tile_size // 2
        draw.text((middle, _TOP // 2), moment.caption, fill=_INK, font=font, anchor="mm")
    for row, (name, act) in enumerate(acts.items()):
        options = StreamOptions(
            sample_rate_hz=rate_hz,
            frame_rate=FrameRate(RATE),
            polish=PolishOptions(blinks=False, gaze=False),
            acting=act,
        )
        frames = animate(samples, options, pipeline)
        head = frames.pose.head if frames.pose is not None and pipeline.model.moves_head else None
        top = _TOP + row * tile_size
        draw.text((8, top + tile_size // 2), name, fill=_INK, font=font, anchor="lm")
        for column, moment in enumerate(moments):
            turned = None if head is None else head[moment.frame]
            picture = render_face(frames.weights[moment.frame], turned, size=tile_size, framing=FACE)
            sheet.paste(Image.fromarray(picture), (_LEFT + column * tile_size, top))
    return sheet
