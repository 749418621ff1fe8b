"""The picture of a model card: one sentence under every emotion that a bundle has a preset for.

    python -m facestream_bench.deeptalk_sheet --bundle DIR -o SHEET.png

A row is an emotion, a column a moment of the sentence, the same in all rows: `PHONES` of its transcript. Frames
are those a client gets of the likeliest motion, without blinks and gaze, which would differ from row to row by chance.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facestream.acting import ActingChange
from facestream.audio.files import read_audio
from facestream.cli.phones import read_phones
from facestream.polish.options import PolishOptions
from facestream.preview.face import FACE, render_face
from facestream.preview.moments import Caption, choose_moments
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameRate
from facestream.types import Float32

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "amiable.flac"
RATE = 50
PHONES = ("m", "f", "w", "ae", "iy", "aa")
"""Lips shut, lower lip under teeth, round, open, wide, open: three that emotion must not spoil, three to see it by."""
_LEFT, _TOP = 96, 30
_PAPER, _INK = (22, 24, 27), (236, 238, 240)


def emotion_sheet(
    pipeline: Pipeline,
    presets: Sequence[str],
    sentence: tuple[Float32, int],
    captions: Sequence[Caption],
    columns: int = 6,
    tile_size: int = 176,
) -> Image.Image:
    """The sheet of a `sentence` (samples [T] and their rate). A tile costs about 0.2 s."""
    samples, rate_hz = sentence
    times = (np.arange(round(len(samples) / rate_hz * RATE)) / RATE).astype(np.float32)
    moments = choose_moments(times, captions, columns)
    sheet = Image.new("RGB", (_LEFT + len(moments) * tile_size, _TOP + len(presets) * tile_size), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, moment in enumerate(moments):
        middle = _LEFT + column * tile_size + tile_size // 2
        draw.text((middle, _TOP // 2), moment.caption, fill=_INK, font=font, anchor="mm")
    for row, preset in enumerate(presets):
        options = StreamOptions(
            sample_rate_hz=rate_hz,
            frame_rate=FrameRate(RATE),
            polish=PolishOptions(blinks=False, gaze=False),
            acting=ActingChange(emotion=preset),
        )
        weights = animate(samples, options, pipeline).weights
        top = _TOP + row * tile_size
        draw.text((8, top + tile_size // 2), preset, fill=_INK, font=font, anchor="lm")
        for column, moment in enumerate(moments):
            picture = render_face(weights[moment.frame], size=tile_size, framing=FACE)
            sheet.paste(Image.fromarray(picture), (_LEFT + column * tile_size, top))
    return sheet


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True, help="name or folder of a bundle with presets")
    parser.add_argument("--clip", type=Path, default=EXAMPLE, help="a recording with its phones in a .json beside it")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    pipeline = open_pipeline(arguments.bundle)
    abilities = pipeline.model.abilities
    if abilities is None or not abilities.presets:
        parser.error(f"{arguments.bundle} has no presets; give a bundle of the deeptalk family that has")
    captions = [caption for caption in read_phones(arguments.clip) if caption.phone in PHONES]
    sheet = emotion_sheet(pipeline, list(abilities.presets), read_audio(arguments.clip), captions)
    sheet.save(arguments.output, optimize=True, quality=90)


if __name__ == "__main__":
    main()
