"""Latency of live streams, client and server on this machine, each in a process of its own.

    facestream-bench latency

Writes `benchmarks/results/latency.json`. What is measured of live speech is defined in `live_load`: `added_*`, `lag_*`,
`first_frame_ms`, `missed_frames`. `nvidia_*` and `burst_*` are of whole clips sent at once, see `nvidia_script`. The
processor time of the client stands beside the server's: where both together want more cores than there are, the figures
tell of the machine. With `--client compiled` the client is one as games have, and the file `latency_compiled.json`.
"""

import argparse
import asyncio
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from facestream.client import StreamOptions
from facestream.types import Float32
from facestream_bench.chosen_model import CROWDS, add_client, add_engine, add_model, options_of, settings_of
from facestream_bench.command import add_output, publish
from facestream_bench.live_load import Crowd, Figures, measure_streams, python_crowd
from facestream_bench.nvidia_script import measure_script
from facestream_bench.server_process import ServerProcess, running_server
from facestream_bench.speech import speech_of


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 48, 64])
    parser.add_argument("--seconds", type=float, default=10, help="of live speech")
    parser.add_argument("--runs", type=int, default=5, help="medians over so many runs")
    parser.add_argument("--requests", type=int, default=10, help="of each of NVIDIA's six clips; 0 leaves them out")
    add_model(parser)
    add_engine(parser)
    add_client(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    pcm, options = speech_of(arguments.seconds), options_of(arguments)
    serving = partial(running_server, arguments.model, **settings_of(arguments))
    crowd = CROWDS[arguments.client]
    runs = [measure_run(serving, arguments.streams, pcm, options, crowd) for _ in range(arguments.runs)]
    figures = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    # a frame missed in any run counts
    figures |= {key: max(run[key] for run in runs) for key in runs[0] if key.endswith("missed_frames")}
    if arguments.requests:
        with serving(max_streams=4) as server:
            figures |= asyncio.run(measure_script(server.address, arguments.requests, options_of(arguments)))
    notes = [
        "added: from the chunk that completes a frame's audio to the frame; lag: from the capture of its own sample",
        f"medians of {arguments.runs} runs, missed_frames the most of them",
        "nvidia_*: its script's own definitions (time to the header; messages a second); burst_*: what those leave out",
    ]
    name = "latency" if crowd is python_crowd else f"latency_{arguments.client}"
    publish(name, {f"{name}.{key}": value for key, value in figures.items()}, parser, arguments, notes)


def measure_run(
    serving: Callable[..., AbstractContextManager[ServerProcess]],
    stream_counts: Sequence[int],
    pcm: Float32,
    options: StreamOptions,
    crowd: Crowd,
) -> Figures:
    """Every count of streams once, each against a server of its own, which `serving` starts for `max_streams`."""
    figures: Figures = {}
    for count in stream_counts:
        with serving(max_streams=count) as server:
            found = measure_streams(server, pcm, options, count, crowd)
        figures |= {f"streams_{count}.{key}": value for key, value in found.items()}
        figures["ready_s"] = server.ready_s
    return figures
