"""The picture of a model card: one sentence under every emotion that a bundle has a preset for.

    python -m facestream_bench.deeptalk_sheet --bundle DIR -o SHEET.png

A row is an emotion, a column a moment of the sentence: `PHONES` of its transcript. Motion is the likeliest.
"""

import argparse
from pathlib import Path

from facestream.acting import ActingChange
from facestream.audio.files import read_audio
from facestream.cli.phones import read_phones
from facestream.serving.pipelines import open_pipeline
from facestream_bench.acted_sheet import EXAMPLE, acted_sheet

PHONES = ("m", "f", "w", "ae", "iy", "aa")
"""Lips shut, lower lip under teeth, round, open, wide, open: three that emotion must not spoil, three to see it by."""


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
    acts = {preset: ActingChange(emotion=preset) for preset in abilities.presets}
    sheet = acted_sheet(pipeline, acts, read_audio(arguments.clip), captions)
    sheet.save(arguments.output, optimize=True, quality=90)


if __name__ == "__main__":
    main()
