"""Latency of live streams, client and server on this machine, each in a process of its own.

    python -m facestream_bench.latency

Writes `benchmarks/results/latency.json`. What is measured is defined in `live_load`.
"""

import argparse
import asyncio
import statistics
from pathlib import Path

import numpy as np

from facestream.audio.files import read_audio
from facestream.client import StreamOptions
from facestream_bench.live_load import crowd, first_frames_to_warm, percentiles_ms
from facestream_bench.offline import CLIP
from facestream_bench.results import write_results
from facestream_bench.server_process import running_server


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 48, 64])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3, help="medians over so many runs")
    parser.add_argument("--model", default="live")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    runs = [_run(arguments.model, arguments.streams, arguments.seconds) for _ in range(arguments.runs)]
    figures = {f"latency.{key}": statistics.median(run[key] for run in runs) for key in runs[0]}
    # a frame missed in any run counts
    figures |= {f"latency.{key}": max(run[key] for run in runs) for key in runs[0] if key.endswith("missed_frames")}
    path = write_results("latency", "python -m facestream_bench.latency", figures, path=arguments.output)
    print("\n".join(f"{key:40} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


def _run(model: str, stream_counts: list[int], seconds: int) -> dict[str, float]:
    clip, rate_hz = read_audio(CLIP)
    pcm = np.resize(clip, seconds * rate_hz)
    options = StreamOptions(sample_rate_hz=rate_hz, model="" if "/" in model else model)
    figures: dict[str, float] = {}
    for count in stream_counts:
        with running_server(model, max_streams=count) as server:
            asyncio.run(first_frames_to_warm(server.address, pcm, options))
            used_s = server.processor_s()
            speakers = asyncio.run(crowd(server.address, pcm, options, count))
            name = f"streams_{count}"
            added = [late for speaker in speakers for late in speaker.added_s()]
            figures |= {f"{name}.added_{key}": value for key, value in percentiles_ms(added).items()}
            figures[f"{name}.first_frame_ms"] = 1000 * statistics.median(one.first_frame_s() for one in speakers)
            figures[f"{name}.missed_frames"] = sum(speaker.missed_count() for speaker in speakers)
            figures[f"{name}.server_cores"] = (server.processor_s() - used_s) / seconds
            figures[f"{name}.resident_mb"] = server.resident_mb()
            figures["ready_s"] = server.ready_s
    return figures


if __name__ == "__main__":
    main()
