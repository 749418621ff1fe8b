"""Figures of the Unity package's Core on .NET 8, written to benchmarks/results/unity_core.json.

    python -m tests.plugins.unity.figures [SECONDS]

The server runs in this process, with the `live` bundle, and notes when it reads a chunk and writes frames; the program
notes when it sends and when a frame is decoded. Both clocks are the machine's.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from facestream.audio.files import read_audio
from facestream.audio.resample import Resampler
from facestream.cli.demo import EXAMPLE
from facestream.curves import INDEX
from facestream.serving.pipelines import open_pipeline
from facestream.settings import Settings
from facestream.transports.server import Server
from facestream_bench.results import write_results
from facestream_bench.server_times import ServerTimes
from tests.plugins.dotnet.toolchain import DotNet
from tests.plugins.proxy import network
from tests.plugins.test_unity import lag_ms, python_weights, shown_and_expected
from tests.plugins.unity.core_program import CoreProgram, build

DELAY_MS = 500
"""Of the sound in the playback run: a lost segment costs 200 ms on TCP, jitter both ways 160, the look-ahead 120."""


LARGEST_SERVER_P99_MS = 100
"""Beyond it other programs are measured, not this one."""


def gaps_of(report: dict[str, Any]) -> int:
    """How often the face went without frames, after the first 0.6 s."""
    starved = np.array(report["starved"])[36:] > 0
    return int(starved[0]) + int(np.count_nonzero(starved[1:] & ~starved[:-1]))


async def measure(core: CoreProgram, seconds: int) -> dict[str, float]:
    """All figures; takes three times as long as the audio."""
    samples, rate = read_audio(EXAMPLE)
    resampler = Resampler(rate)
    clip = np.concatenate([resampler.push(samples), resampler.flush()])
    pcm = np.tile(clip, 1 + 16000 * seconds // len(clip))[: 16000 * seconds]
    figures = {}
    for name, leak in (("frame", 0), ("frame_of_the_control", 1)):
        told = (await core.run("allocations", leak=leak)).report
        figures[f"bytes_allocated_a_{name}"] = told["bytes"] / 10_000
    times = ServerTimes()
    async with Server(Settings(port=0), load=lambda: [open_pipeline("live")]) as server:
        expected = await python_weights(server.address, pcm)
        with times.noted():
            live = await core.run("stream", pcm, server=f"http://{server.address}", pace="live")
        figures |= times.figures(live.report["sent"], live.report["arrived"])
        if figures["server_p99_ms"] > LARGEST_SERVER_P99_MS:
            taken = f"{figures['server_p99_ms']:.0f} ms"
            raise SystemExit(f"this machine is busy: the server alone takes {taken} at p99; nothing is written")
        figures["largest_difference_from_python"] = float(np.abs(live.weights - expected).max())
        allocated = live.report["allocated"]
        half = len(allocated) // 2
        figures["process_bytes_a_chunk"] = (allocated[-1] - allocated[half]) / (len(allocated) - half - 1)
        async with network(server.address, jitter_s=0.08, loss=0.02, seed=1) as between:
            address = f"http://127.0.0.1:{between.port}"
            played = await core.run("play", pcm, server=address, pace="live", delay_ms=DELAY_MS)
    shown, _ = shown_and_expected(played.report, expected)
    figures["playback.gaps_a_minute"] = gaps_of(played.report) * 60 / seconds
    figures["playback.frames_before_their_audio"] = float("ahead_of_audio" in played.report)
    figures["playback.lag_ms"] = lag_ms(played.report, expected)
    figures["playback.drawn"] = float(len(shown))
    figures["playback.resumes"] = float(played.report["resumes"])
    figures["playback.delay_ms"] = DELAY_MS
    assert expected[:, INDEX["jawOpen"]].max() > 0.1
    return figures


def main() -> None:
    """Build, measure, write."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    dotnet = DotNet(Path(".pytest_cache/d/dotnet").resolve())
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder)
        build(dotnet, into)
        figures = asyncio.run(measure(CoreProgram(dotnet, into, into), seconds))
    named = {f"unity_core.{name}": value for name, value in figures.items()}
    write_results("unity_core", "python -m tests.plugins.unity.figures", named)


if __name__ == "__main__":
    main()
