"""Everything that waits for a card, within minutes: which engines run on it, how right and how fast they are.

    facestream-bench gpu

In the order of worth, as far as `--minutes` reach: the card's ceilings and torch's own CUDA graphs (`gpu_yardstick`),
then parity and steps of every shipped model on every engine that works, live streams through a whole server, and steps
of both papers' networks at full size with random weights. Each part is a command of this suite in a process of its own,
so one that fails is a note and no end. `*.share_of_arithmetic` and `*.share_of_traffic` hold a step against the
ceilings. `--variants onnx-cpu.fp32 --device cpu` rehearses all of it where there is no card.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facestream.errors import InvalidValue
from facestream_bench.command import add_output, publish
from facestream_bench.paper_size import WRITERS
from facestream_bench.results import read_results
from facestream_bench.variants import VARIANTS, Variant, tried, variants_named

MODELS = ("live", "deeptalk-compact", "diffposetalk-compact")
ROWS = (1, 16, 64)
SHORTEST_S = 10.0
"""With less time left a part is not begun."""

_SUITE, _MODULE = ("-m", "facestream_bench.main"), "facestream_bench."
_STEP = re.compile(r"(?P<step>engine\..*\.(?P<precision>fp32|fp16|int8)\.rows_\d+)\.ms$")

Figures = dict[str, float]


@dataclass(frozen=True)
class Part:
    """A command of this project's, with its figures in a result file where it has any."""

    name: str
    words: tuple[str, ...]
    has_figures: bool = True


@dataclass
class Findings:
    """What the parts have brought so far."""

    figures: Figures = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def usable_on_card(open_variant: Callable[[Variant], object]) -> tuple[list[Variant], list[str]]:
    """Engines of cards that work here, and a line for each of them: that it does, or why not."""
    variants = [variant for variant in VARIANTS if variant.is_on_card]
    usable, refused = tried(variants, open_variant)
    notes = [
        f"{one.name} does not run here: {refused[one.name]}" if one.name in refused else f"{one.name} runs here"
        for one in variants
    ]
    return usable, notes


def parts_of(variants: Sequence[Variant], arguments: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """All parts, the most worth knowing first; bundles at full size are written to `folder`."""
    chosen = ("--variants", *(variant.name for variant in variants))
    rows = tuple(map(str, arguments.rows))
    device = ("--device", arguments.device, "--rows", *rows)
    side = ("--side", "512") if arguments.device == "cpu" else ()
    yield Part("yardstick", ("-m", _MODULE + "gpu_yardstick", *device, *side))
    for model in arguments.models:
        yield Part(f"parity_{model}", (*_SUITE, "parity", "--model", model, *chosen, "--seconds", "4", "--rows", *rows))
        yield _steps(model, model, rows, chosen)
    crowd = ("--client", "compiled", "--start", "64", "--step", "32", "--runs", "1", "--seconds", "5")
    fronts = fronts_for(os.cpu_count() or 1)
    spread = ("--front-processes", str(fronts)) if fronts else ()
    for variant in variants if arguments.streams else ():
        if variant.ran_by:
            served = ("--engine", variant.ran_by, "--precision", variant.precision)
            yield Part(f"capacity_{variant.name}", (*_SUITE, "capacity", "--model", "live", *served, *crowd, *spread))
    for family in arguments.full_size:
        target = folder / family
        yield Part(f"write_{family}", ("-m", _MODULE + "paper_size", family, str(target)), has_figures=False)
        yield _steps(f"paper_{family}", str(target), rows, chosen)


def fronts_for(cores: int) -> int:
    """Processes that serve clients, one a core, where there are enough for a client and the engine too; or 0: one."""
    return cores * 5 // 8 if cores >= 6 else 0


def _steps(name: str, model: str, rows: tuple[str, ...], chosen: tuple[str, ...]) -> Part:
    return Part(f"engine_{name}", (*_SUITE, "engine", "--model", model, *chosen, "--runs", "3", "--rows", *rows))


def carry_out(part: Part, seconds: float, folder: Path, findings: Findings) -> None:
    """Run it for so long at most; what it brings, or why it brings nothing, goes to `findings`."""
    if seconds < SHORTEST_S:
        findings.notes.append(f"{part.name} was not begun: no time was left")
        return
    result = folder / f"{part.name}.json"
    words = [sys.executable, *part.words, *(("-o", str(result)) if part.has_figures else ())]
    # a session of its own: what is out of time takes the servers that it has started with it
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            findings.notes.append(f"{part.name} was ended after {seconds:.0f} s, when no time was left")
            return
    if process.returncode:
        findings.notes.append(f"{part.name} failed: {(said.strip() or 'silently').splitlines()[-1]}")
    elif part.has_figures:
        record = read_results(result)
        findings.figures |= record.figures
        findings.notes += [note for note in record.notes if note not in findings.notes]


def shares_of_ceilings(figures: Figures) -> Figures:
    """How near every step comes to what the card can do at most, in arithmetic of its precision and in traffic."""
    shares: Figures = {}
    for key, step_ms in figures.items():
        if not (found := _STEP.match(key)):
            continue
        step, arithmetic = found["step"], figures.get(f"ceiling.{found['precision']}.tflops")
        if arithmetic:
            shares[f"{step}.share_of_arithmetic"] = figures[f"{step}.gflop"] / step_ms / arithmetic
        if traffic := figures.get("ceiling.copy.gb_per_s"):
            shares[f"{step}.share_of_traffic"] = figures[f"{step}.traffic_mb"] / step_ms / traffic
    return shares


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write `gpu.json`. Raises `InvalidValue` where no engine for cards works here."""
    parser = argparse.ArgumentParser(
        "facestream-bench gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="in all")
    parser.add_argument("--variants", nargs="+", help="engines and precisions; default: those of cards that work here")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="of the yardsticks")
    parser.add_argument("--models", nargs="*", default=list(MODELS), help="shipped bundles")
    parser.add_argument("--full-size", nargs="*", choices=sorted(WRITERS), default=sorted(WRITERS))
    parser.add_argument("--no-streams", dest="streams", action="store_false", help="no live streams through a server")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="rows of a step")
    add_output(parser)
    arguments = parser.parse_args(words)
    ends_s = time.monotonic() + 60 * arguments.minutes
    findings = Findings()
    if arguments.variants:
        variants = variants_named(arguments.variants)
    else:
        variants, findings.notes = usable_on_card(lambda variant: variant.open("live"))
        print("\n".join(findings.notes), flush=True)
    if not variants:
        raise InvalidValue("machine", "none of these engines", "one with an NVIDIA GPU that an engine can use")
    with tempfile.TemporaryDirectory() as folder:
        for part in parts_of(variants, arguments, Path(folder)):
            print(f"{part.name}: {ends_s - time.monotonic():.0f} s left", flush=True)
            carry_out(part, ends_s - time.monotonic(), Path(folder), findings)
    publish("gpu", findings.figures | shares_of_ceilings(findings.figures), parser, arguments, findings.notes)
