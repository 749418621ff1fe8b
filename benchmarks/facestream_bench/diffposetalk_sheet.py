"""The first picture of a model card: one sentence in several named styles of a bundle, the head as it is turned.

    python -m facestream_bench.diffposetalk_sheet --bundle DIR -o SHEET.jpg

A row is a style, a column a moment of the sentence: `PHONES` of its transcript.
"""

import argparse
from pathlib import Path

from facestream.acting import ActingChange
from facestream.audio.files import read_audio
from facestream.cli.phones import read_phones
from facestream.errors import InvalidValue
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream_bench.acted_sheet import EXAMPLE, acted_sheet
from facestream_bench.deeptalk_sheet import PHONES

STYLES = ("reserved", "open", "stern", "smiling")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True, help="name or folder of a bundle with named styles")
    parser.add_argument("--styles", nargs="+", default=STYLES)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--clip", type=Path, default=EXAMPLE, help="a recording with its phones in a .json beside it")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    pipeline = open_pipeline(arguments.bundle)
    acts = {
        name: ActingChange(styling=StylingChange(style=name, strength=arguments.strength)) for name in arguments.styles
    }
    try:
        for act in acts.values():
            pipeline.check_acting(act)
    except InvalidValue as error:
        parser.error(f"{arguments.bundle}: {error}")
    captions = [caption for caption in read_phones(arguments.clip) if caption.phone in PHONES]
    sheet = acted_sheet(pipeline, acts, read_audio(arguments.clip), captions)
    sheet.save(arguments.output, optimize=True, quality=86)


if __name__ == "__main__":
    main()
