"""How much faster than real time a recording is animated on one core, without a server.

    python -m facestream_bench.offline

Writes `benchmarks/results/offline.json`: the median, slowest and fastest of several runs over the example clip
repeated to one minute, and the time to open the model.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from facestream_bench.results import write_results
from facestream_bench.speech import RATE_HZ, speech_of


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    started = time.perf_counter()
    pipeline = open_pipeline("live")
    opened_s = time.perf_counter() - started
    samples = speech_of(arguments.seconds)
    animate(samples[:RATE_HZ], StreamOptions(), pipeline)
    speeds = [_times_real_time(pipeline, samples) for _ in range(arguments.runs)]
    figures = {
        "offline.times_real_time.median": statistics.median(speeds),
        "offline.times_real_time.min": min(speeds),
        "offline.times_real_time.max": max(speeds),
        "offline.open_s": opened_s,
    }
    path = write_results("offline", "python -m facestream_bench.offline", figures, path=arguments.output)
    print("\n".join(f"{key:36} {value:.3g}" for key, value in figures.items()), f"written to {path}", sep="\n")


def _times_real_time(pipeline: Pipeline, samples: Float32) -> float:
    started = time.perf_counter()
    animate(samples, StreamOptions(), pipeline)
    return len(samples) / RATE_HZ / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
