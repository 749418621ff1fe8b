"""The largest number of live streams that this machine carries, client included, found by search.

    facestream-bench capacity --model live

Carried means: p99 of the added latency at most 60 ms and fewer than one frame in a thousand missed (`live_load` defines
both). The search doubles until that fails, then halves the gap to `--step` streams; what it found must then hold in the
median of `--runs` runs, or fewer are tried. The client runs on the same machine and takes its share of it: its
processor time stands beside the server's, and `sending_late_p99_ms` says how late its own chunks left. Where that grows
with the streams, the client is the limit and not the server. Writes `benchmarks/results/capacity_MODEL.json`.
"""

import argparse
import math
import statistics
from collections.abc import Callable, Sequence

from facestream.errors import FacestreamError
from facestream_bench.chosen_model import (
    add_client,
    add_engine,
    add_fronts,
    add_model,
    crowd_of,
    label_of,
    options_of,
    settings_of,
)
from facestream_bench.command import add_output, publish
from facestream_bench.live_load import Figures, measure_streams
from facestream_bench.server_process import running_server
from facestream_bench.speech import speech_of

P99_LIMIT_MS = 60.0
MISSED_LIMIT = 0.001
MOST = 4096
"""Streams that a server's settings allow."""

BROKEN_DOWN = {"added_p99_ms": math.inf, "missed_share": 1.0}
"""Of a run in which a stream ended with an error."""

Try = Callable[[int], Figures]
"""Figures of one run with so many streams."""


def is_carried(figures: Figures) -> bool:
    """Whether so many streams were served as they should be."""
    return figures["added_p99_ms"] <= P99_LIMIT_MS and figures["missed_share"] < MISSED_LIMIT


def largest_carried(attempt: Try, start: int, step: int, runs: int) -> tuple[int, Figures]:
    """The most streams, a multiple of `step`, that are carried in the median of `runs` runs, and those medians.

    No streams and no figures where not even `step` are carried.
    """
    count = _searched(attempt, start, step)
    while count > 0:
        found = [attempt(count) for _ in range(runs)]
        names = {name for run in found for name in run}
        medians = {name: statistics.median(run.get(name, math.inf) for run in found) for name in sorted(names)}
        if is_carried(medians):
            return count, medians
        count -= step  # one lucky run had led too far
    return 0, {}


def _searched(attempt: Try, start: int, step: int) -> int:
    """The most streams that single runs carry."""
    carried, failed, count = 0, MOST + step, max(step, start // step * step)
    while failed - carried > step:
        if is_carried(attempt(count)):
            carried = count
        else:
            failed = count
        halfway = (carried + failed) // 2 // step * step
        count = max(carried + step, min(2 * carried, halfway) if failed > MOST else halfway)
    return carried


def main(words: Sequence[str] | None = None) -> None:
    """Search and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="length of one run")
    parser.add_argument("--start", type=int, default=32, help="streams of the first run")
    parser.add_argument("--step", type=int, default=8, help="streams between two answers")
    parser.add_argument("--runs", type=int, default=5, help="runs that must hold in the median")
    add_model(parser)
    add_engine(parser)
    add_client(parser)
    add_fronts(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    pcm, options, label = speech_of(arguments.seconds), options_of(arguments), label_of(arguments)
    crowd = crowd_of(arguments)

    def attempt(count: int) -> Figures:
        with running_server(arguments.model, max_streams=count, **settings_of(arguments)) as server:
            try:
                found = measure_streams(server, pcm, options, count, crowd)
            except FacestreamError as error:
                print(f"{count:5} streams: {error}; too many", flush=True)
                return BROKEN_DOWN
        verdict = "carried" if is_carried(found) else "too many"
        cores = f"cores: server {found['server_cores']:.2f}, client {found['client_cores']:.2f}"
        late = f"p99 {found['added_p99_ms']:6.1f} ms, missed {found['missed_share']:.4f}"
        print(f"{count:5} streams: {late}; {cores}; {verdict}", flush=True)
        return found

    count, medians = largest_carried(attempt, arguments.start, arguments.step, arguments.runs)
    figures = {"streams": float(count)} | medians
    publish(
        f"capacity_{label}",
        {f"capacity.{label}.{key}": value for key, value in figures.items()},
        parser,
        arguments,
        [
            f"carried: added p99 at most {P99_LIMIT_MS:g} ms and missed under {MISSED_LIMIT}, {arguments.runs} runs",
            f"the {arguments.client} client ran on the same cores",
        ],
    )
