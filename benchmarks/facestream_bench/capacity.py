"""The largest number of live streams that this machine carries, client included, found by search.

    python -m facestream_bench.capacity

Carried means: p99 of the added latency at most 60 ms and fewer than one frame in a thousand missed (`live_load` defines
both). The search doubles until that fails, then halves the gap to 8 streams. Writes `benchmarks/results/capacity.json`.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facestream.audio.files import read_audio
from facestream.client import StreamOptions
from facestream_bench.live_load import crowd, first_frames_to_warm, percentiles_ms
from facestream_bench.offline import CLIP
from facestream_bench.results import write_results
from facestream_bench.server_process import running_server

P99_LIMIT_MS = 60.0
MISSED_LIMIT = 0.001
STEP = 8


@dataclass(frozen=True)
class Trial:
    """What so many streams were like."""

    stream_count: int
    p99_ms: float
    missed_share: float
    server_cores: float

    @property
    def is_carried(self) -> bool:
        return self.p99_ms <= P99_LIMIT_MS and self.missed_share < MISSED_LIMIT


def main() -> None:
    """Search and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="live")
    parser.add_argument("--seconds", type=int, default=10, help="length of one trial")
    parser.add_argument("--start", type=int, default=32)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    best = search(arguments.model, arguments.seconds, arguments.start)
    figures = {
        f"capacity.{arguments.model}.streams": best.stream_count,
        f"capacity.{arguments.model}.p99_ms": best.p99_ms,
        f"capacity.{arguments.model}.missed_share": best.missed_share,
        f"capacity.{arguments.model}.server_cores": best.server_cores,
    }
    path = write_results("capacity", "python -m facestream_bench.capacity", figures, path=arguments.output)
    print("\n".join(f"{key:40} {value:.4g}" for key, value in figures.items()), f"written to {path}", sep="\n")


def search(model: str, seconds: int, start: int) -> Trial:
    """The best trial that was carried; one of no streams where not even the fewest were."""
    best, failed = Trial(0, 0.0, 0.0, 0.0), None
    count = start
    while failed is None or failed - best.stream_count > STEP:
        trial = _try(model, count, seconds)
        verdict = "carried" if trial.is_carried else "too many"
        print(f"{count:5} streams: p99 {trial.p99_ms:7.1f} ms, missed {trial.missed_share:.4f}, {verdict}", flush=True)
        if trial.is_carried:
            best = trial
        else:
            failed = count
        count = 2 * count if failed is None else (best.stream_count + failed) // 2 // STEP * STEP
        if count <= best.stream_count:
            break  # nothing is left between what was carried and what was not
    return best


def _try(model: str, count: int, seconds: int) -> Trial:
    clip, rate_hz = read_audio(CLIP)
    pcm = np.resize(clip, seconds * rate_hz)
    options = StreamOptions(sample_rate_hz=rate_hz)
    with running_server(model, max_streams=count) as server:
        asyncio.run(first_frames_to_warm(server.address, pcm, options))
        used_s = server.processor_s()
        speakers = asyncio.run(crowd(server.address, pcm, options, count))
        cores = (server.processor_s() - used_s) / seconds
    added = [late for speaker in speakers for late in speaker.added_s()]
    expected = sum(one.info.clock.frames_until(one.sent_samples[-1]) for one in speakers if one.info)
    missed = sum(speaker.missed_count() for speaker in speakers)
    return Trial(count, percentiles_ms(added)["p99_ms"], missed / expected, cores)


if __name__ == "__main__":
    main()
