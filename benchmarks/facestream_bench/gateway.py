"""What a stream costs the server over WebSockets, against the same stream over gRPC.

    facestream-bench gateway --streams 100

One server carries the same speakers over gRPC and over WebSockets in both forms, in turn, `--runs` times over. JSON is
for looking at and takes several times as much: with many speakers a run of it may last far longer than the speech, and
`--no-json` leaves it out. The figures are processor time of the server for a second of one stream, medians of the runs:
of all its processes (`server_ms_per_stream_s`), and of the one that carries the messages (`carrying_ms_per_stream_s`),
where the arithmetic of the model is elsewhere; every frame has arrived, however late. `overhead_share` is what binary
WebSockets take beyond gRPC, as a share of it; below 0 they take less. Writes `benchmarks/results/gateway.json`.
"""

import argparse
import statistics
from collections.abc import Sequence

from facestream_bench.chosen_model import add_engine, add_model, label_of, options_of, settings_of
from facestream_bench.command import add_output, publish
from facestream_bench.live_load import Crowd, Figures, measure_streams, python_crowd
from facestream_bench.server_process import ServerProcess, running_server
from facestream_bench.speech import speech_of
from facestream_bench.web_load import FORMS, web_crowd

_KEPT = ("server_ms_per_stream_s", "carrying_ms_per_stream_s")
_TOLD = (*_KEPT, "added_p99_ms", "missed_share")


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="length of one run")
    parser.add_argument("--streams", type=int, default=100, help="at once")
    parser.add_argument("--runs", type=int, default=3, help="of each transport, in turn")
    parser.add_argument("--json", action=argparse.BooleanOptionalAction, default=True, help="the JSON form, too")
    add_model(parser)
    add_engine(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    label = label_of(arguments)
    found: dict[str, list[Figures]] = {}
    # processor time is what counts, so a machine with too few cores for all that may be late; but all frames must come
    patient = {"start_timeout_s": 60, "stuck_after_s": 60, "idle_timeout_s": 600, "outbox_bound_s": 60}
    settings = {"websocket_port": 0, **patient, **settings_of(arguments)}
    with running_server(arguments.model, arguments.streams, **settings) as server:
        crowds: dict[str, Crowd] = {"grpc": python_crowd}
        forms = [form for form in FORMS if form == "binary" or arguments.json]
        crowds |= {form: web_crowd(server.web_address, form) for form in forms}
        for number in range(arguments.runs):
            for name, crowd in crowds.items():
                run = _measured(server, crowd, arguments)
                found.setdefault(name, []).append(run)
                told = ", ".join(f"{key} {run[key]:.3g}" for key in _TOLD)
                print(f"run {number + 1}, {name:6}: {told}", flush=True)
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in _KEPT} for name, runs in found.items()
    }
    figures = {f"gateway.{label}.{name}.{key}": value for name, of in medians.items() for key, value in of.items()}
    cost = _KEPT[0]
    figures[f"gateway.{label}.overhead_share"] = medians["binary"][cost] / medians["grpc"][cost] - 1
    publish("gateway", figures, parser, arguments, ["the clients, in Python, ran on the same cores"])


def _measured(server: ServerProcess, crowd: Crowd, arguments: argparse.Namespace) -> Figures:
    stream_s = arguments.streams * arguments.seconds
    carrying_s = server.carrying_s()
    pcm = speech_of(arguments.seconds)
    figures = measure_streams(server, pcm, options_of(arguments, seed=1), arguments.streams, crowd)
    carrying_s = server.carrying_s() - carrying_s
    return figures | {
        "server_ms_per_stream_s": 1000 * figures["server_cores"] / arguments.streams,
        "carrying_ms_per_stream_s": 1000 * carrying_s / stream_s,
    }
