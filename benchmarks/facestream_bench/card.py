"""Fill the figures of a model card: `python -m facestream_bench.card TEMPLATE RESULT.json ... -o CARD.md`.

With `--bundle FOLDER` in place of `-o` the card in a bundle is filled again, and its manifest told of it.

A template is Markdown with `{figure:format}` wherever a figure of one of the result files belongs, so that no card
tells a figure that was not measured, and none that was and is no longer true.
"""

import argparse
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from facestream.engines.bundle import MANIFEST, Bundle

CARD = "card.md"

_PLACE = re.compile(r"\{([a-z0-9_.-]+(?:\.[a-z0-9_.-]+)+):([^{}]+)\}")


def filled(template: str, figures: Mapping[str, float]) -> str:
    """`template` with its figures; shares are written as `.87`. Raises ValueError naming those that are not there."""
    missing = sorted({name for name, _ in _PLACE.findall(template)} - set(figures))
    if missing:
        raise ValueError(f"no figure {', '.join(missing)} in the result files; run the benchmark that measures it")

    def figure(place: re.Match[str]) -> str:
        value = format(figures[place[1]], place[2])
        value = value.removeprefix("-") if float(value) == 0.0 else value
        return value[value.startswith("0.") :]

    return _PLACE.sub(figure, template)


def put_into(bundle: Path, card: str) -> None:
    """Take `card` as that of the bundle in the folder, and open the bundle as the runtime would.

    Raises `BundleError` for a folder that holds none.
    """
    Bundle.open(bundle)
    (bundle / CARD).write_text(card, encoding="utf-8")
    content = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    content["files"][CARD] = hashlib.sha256(card.encode()).hexdigest()
    (bundle / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    Bundle.open(bundle)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("template", type=Path)
    parser.add_argument("results", type=Path, nargs="+", help="files of benchmarks/results")
    out = parser.add_mutually_exclusive_group(required=True)
    out.add_argument("-o", "--output", type=Path)
    out.add_argument("--bundle", type=Path, help="folder of the bundle whose card it is")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    for path in arguments.results:
        figures |= json.loads(path.read_text(encoding="utf-8"))["figures"]
    try:
        card = filled(arguments.template.read_text(encoding="utf-8"), figures)
    except ValueError as error:
        parser.error(f"{arguments.template}: {error}")
    if arguments.bundle is None:
        arguments.output.write_text(card, encoding="utf-8")
    else:
        put_into(arguments.bundle, card)


if __name__ == "__main__":
    main()
