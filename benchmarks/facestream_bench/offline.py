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

import numpy as np

from facestream.audio.files import read_audio
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from facestream_bench.results import write_results

CLIP = Path(__file__).resolve().parents[2] / "examples" / "amiable.flac"


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
    clip, rate_hz = read_audio(CLIP)
    samples = np.resize(clip, arguments.seconds * rate_hz)
    animate(samples[:rate_hz], StreamOptions(sample_rate_hz=rate_hz), pipeline)
    speeds = [_times_real_time(pipeline, samples, rate_hz) for _ in range(arguments.runs)]
    figures = {
        "offline.times_real_time.median": statistics.median(speeds),
        "offline.times_real_time.min": min(speeds),
        "offline.times_real_time.max": max(speeds),
        "offline.open_s": opened_s,
    }
    path = write_results("offline", "python -m facestream_bench.offline", figures, path=arguments.output)
    print("\n".join(f"{key:36} {value:.3g}" for key, value in figures.items()), f"written to {path}", sep="\n")


def _times_real_time(pipeline: Pipeline, samples: Float32, rate_hz: int) -> float:
    started = time.perf_counter()
    animate(samples, StreamOptions(sample_rate_hz=rate_hz), pipeline)
    return len(samples) / rate_hz / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
