"""Fill the figures of a model card: `python -m facestream_bench.card TEMPLATE RESULT.json ... -o CARD.md`.

A template is Markdown with `{figure:format}` wherever a figure of one of the result files belongs, so that no card
tells a figure that was not measured, and none that was and is no longer true.
"""

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path

_PLACE = re.compile(r"\{([a-z0-9_.-]+(?:\.[a-z0-9_.-]+)+):([^{}]+)\}")


def filled(template: str, figures: Mapping[str, float]) -> str:
    """`template` with its figures; shares are written as `.87`. Raises ValueError naming those that are not there."""
    missing = sorted({name for name, _ in _PLACE.findall(template)} - set(figures))
    if missing:
        raise ValueError(f"no figure {', '.join(missing)} in the result files; run the benchmark that measures it")

    def figure(place: re.Match[str]) -> str:
        value = format(figures[place[1]] + 0.0, place[2])
        return value[value.startswith("0.") :]

    return _PLACE.sub(figure, template)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("template", type=Path)
    parser.add_argument("results", type=Path, nargs="+", help="files of benchmarks/results")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    for path in arguments.results:
        figures |= json.loads(path.read_text(encoding="utf-8"))["figures"]
    try:
        arguments.output.write_text(filled(arguments.template.read_text(encoding="utf-8"), figures), encoding="utf-8")
    except ValueError as error:
        parser.error(f"{arguments.template}: {error}")


if __name__ == "__main__":
    main()
