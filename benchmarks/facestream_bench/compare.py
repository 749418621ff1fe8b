"""Two result files side by side: each figure of both, their ratio, and whether it became better or worse.

    facestream-bench compare before.json after.json

Which way is better follows from a figure's name (`figure_meaning`). A change within `--tolerance` is the same. With
`--strict` the command fails where a figure is worse or gone, which is how a build guards a promise.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from facestream_bench.figure_meaning import Better, meaning_of
from facestream_bench.results import Record, read_results

TOLERANCE = 0.05


class Verdict(Enum):
    """What became of a figure."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    CHANGED = "changed"
    """Where neither way is better."""
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True)
class Row:
    """One figure; `before` or `after` is `None` where a file does not have it."""

    key: str
    before: float | None
    after: float | None
    verdict: Verdict

    @property
    def ratio(self) -> float | None:
        """After to before, where that means something: both above 0."""
        if self.before is None or self.after is None or self.before <= 0 or self.after <= 0:
            return None
        return self.after / self.before


def compared(before: Record, after: Record, tolerance: float = TOLERANCE) -> list[Row]:
    """Every figure of either, in the order of their names."""
    rows = []
    for key in sorted({*before.figures, *after.figures}):
        old, new = before.figures.get(key), after.figures.get(key)
        rows.append(Row(key, old, new, _verdict(meaning_of(key), old, new, tolerance)))
    return rows


def _verdict(better: Better, before: float | None, after: float | None, tolerance: float) -> Verdict:
    if before is None:
        return Verdict.NEW
    if after is None:
        return Verdict.GONE
    if better is Better.NEARER_ZERO:
        before, after = abs(before), abs(after)
    if abs(after - before) <= tolerance * max(abs(before), abs(after)):
        return Verdict.SAME
    if better is Better.NEITHER:
        return Verdict.CHANGED
    return Verdict.BETTER if (after > before) == (better is Better.HIGHER) else Verdict.WORSE


def told(before: Record, after: Record, rows: Sequence[Row]) -> str:
    """The comparison for people; what differs besides the figures stands first."""
    lines = [f"before  {_origin(before)}", f"after   {_origin(after)}"]
    if before.hardware != after.hardware or before.command != after.command:
        lines.append("NOTE    other hardware or another command: the figures may differ for that alone")
    for name in sorted({*before.versions, *after.versions}):
        one, other = (record.versions.get(name, "none") for record in (before, after))
        if one != other:
            lines.append(f"        {name} {one} -> {other}")
    width = max((len(row.key) for row in rows), default=6)
    lines += ["", f"{'figure':{width}} {'before':>10} {'after':>10} {'ratio':>7}  {'better is':9} verdict"]
    for row in rows:
        numbers = [f"{'-' if value is None else f'{value:.4g}':>10}" for value in (row.before, row.after)]
        ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
        lines.append(
            f"{row.key:{width}} {' '.join(numbers)} {ratio:>7}  {meaning_of(row.key).value:9} {row.verdict.value}"
        )
    counts = Counter(row.verdict for row in rows)
    return "\n".join([*lines, "", ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)])


def _origin(record: Record) -> str:
    return f"{record.name}, {record.date}, {record.hardware}: {record.command}"


def main(words: Sequence[str] | None = None) -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        "facestream-bench compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="result file")
    parser.add_argument("after", type=Path, help="result file")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="share of a figure that counts as the same")
    parser.add_argument("--only", default="", help="figures in whose name this pattern is found")
    parser.add_argument("--strict", action="store_true", help="exit code 1 where a figure is worse or gone")
    arguments = parser.parse_args(words)
    before, after = read_results(arguments.before), read_results(arguments.after)
    rows = [row for row in compared(before, after, arguments.tolerance) if re.search(arguments.only, row.key)]
    print(told(before, after, rows))
    if arguments.strict and any(row.verdict in (Verdict.WORSE, Verdict.GONE) for row in rows):
        sys.exit(1)
