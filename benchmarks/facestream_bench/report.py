"""One page with plots and tables of all result files, for people: `report.html`, which needs nothing beside it.

    facestream-bench report -o FOLDER

The plots stand beside the page as PNGs, too, for a README.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from facestream.errors import InvalidValue
from facestream_bench.report_page import page
from facestream_bench.report_plots import STYLE, drawn
from facestream_bench.results import RESULTS, read_results

PNG_DPI = 120


def main(words: Sequence[str] | None = None) -> None:
    """Write the page and the pictures."""
    parser = argparse.ArgumentParser(
        "facestream-bench report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="*", help="result files; default: all of benchmarks/results")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/report"), help="folder to write to")
    arguments = parser.parse_args(words)
    for path in write_report(arguments.results or sorted(RESULTS.glob("*.json")), arguments.output):
        print(path)


def write_report(results: Sequence[Path], folder: Path) -> list[Path]:
    """Write `report.html` and `NAME.png` of every plot into `folder`; gives what was written.

    Raises `InvalidValue` for no results, or a file of another form.
    """
    if not results:
        raise InvalidValue("results", "no files", f"result files of benchmarks, as {RESULTS.name}/*.json")
    records = [read_results(path) for path in results]
    figures = {key: value for record in records for key, value in record.figures.items()}
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "report.html"]
    vectors = {}
    for name, figure in drawn(figures).items():
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=PNG_DPI, metadata={"Software": None})
        vectors[name] = _svg(figure)
        plt.close(figure)
    written[0].write_text(page(records, vectors), encoding="utf-8")
    return written


def _svg(figure: Figure) -> str:
    """The figure as an element of an HTML page."""
    text = io.StringIO()
    with plt.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
