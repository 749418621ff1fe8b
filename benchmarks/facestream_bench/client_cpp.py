"""What the compiled client adds to a server's latency, and what it allocates: `python -m facestream_bench.client_cpp`.

The same speech goes to the same server, turn about, through the bare gRPC of `benchmarks/load_client` and through
`facestream-cli` with its queues and threads. Of each, *added latency* is what `live_load` says it is; what the second
adds to the first is the client's own. Then the server runs in this process and notes when it read each chunk and wrote
its frames: from a chunk to its decoded frames is held against the server's own time in the same run. Programs are built
by their presets first (docs/cpp.md).
"""

import argparse
import asyncio
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from facestream.client import StreamInfo, StreamOptions
from facestream.errors import FacestreamError
from facestream.serving.pipelines import open_pipeline
from facestream.settings import Settings
from facestream.timebase import FrameClock, FrameRate
from facestream.transports.server import Server
from facestream.types import Float32
from facestream_bench.compiled_load import compiled_crowd
from facestream_bench.live_load import Speaker, first_frames_to_warm, percentiles_ms
from facestream_bench.results import write_results
from facestream_bench.server_process import running_server
from facestream_bench.server_times import ServerTimes
from facestream_bench.speech import speech_of

PLUGINS = Path(__file__).resolve().parents[2] / "engine_plugins"
CLIENT, CORE = (PLUGINS / name / "build" / "release" for name in ("client_cpp", "core_cpp"))
WARM_UP_S = 1.0


def spoken_by_cli(address: str, wav: Path) -> Speaker:
    """One stream through `facestream-cli`. Raises `FacestreamError` with the client's own message."""
    report = wav.with_suffix(".json")
    command = [str(CLIENT / "facestream-cli"), address, str(wav), "--quiet", "--seed", "1", "--report", str(report)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise FacestreamError(f"facestream-cli failed: {told.stderr.strip()}")
    return speaker_of(json.loads(report.read_text()))


def speaker_of(report: dict[str, Any]) -> Speaker:
    """A report of `facestream-cli` as what every other client of the benchmarks tells."""
    clock = FrameClock(FrameRate(*report["frame_rate"]), report["sample_rate_hz"])
    info = StreamInfo(
        stream_id=report["stream_id"],
        model=report["model"],
        model_version=report["model_version"],
        curve_names=(),
        clock=clock,
        latency_samples=report["latency_samples"],
        chunk_samples=0,
        gap_samples=0,
        ahead_samples=0,
        idle_timeout_s=0.0,
        max_age_s=None,
        seed=report["seed"],
        resume_token="",
    )
    speaker = Speaker(report["started_s"], info=info)
    speaker.sent_samples = [samples for samples, _ in report["sent"]]
    speaker.sent_s = [time_s for _, time_s in report["sent"]]
    frames = zip(report["frames"], report["decoded_s"], strict=True)
    speaker.arrivals = [(time_s, frame["index"], 1) for frame, time_s in frames]
    return speaker


def measure(pcm: Float32, rounds: int) -> dict[str, float]:
    """Latency of both clients over `rounds` recordings of `pcm` each, and what lies between."""
    added: dict[str, list[float]] = {"bare": [], "client": []}
    options = StreamOptions(seed=1)
    with running_server("live", max_streams=4) as server, tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "speech.wav")
        soundfile.write(wav, pcm, options.sample_rate_hz, subtype="PCM_16")
        asyncio.run(first_frames_to_warm(server.address, pcm, options))
        for _ in range(rounds):
            (bare,), _ = compiled_crowd(server.address, pcm, options, 1)
            added["bare"] += bare.added_s(WARM_UP_S)
            added["client"] += spoken_by_cli(server.address, wav).added_s(WARM_UP_S)
    figures = {f"{who}_{key}": value for who, times in added.items() for key, value in percentiles_ms(times).items()}
    for key in ("p50_ms", "p95_ms", "p99_ms"):
        figures[f"over_bare_{key}"] = figures[f"client_{key}"] - figures[f"bare_{key}"]
    return figures | {"frames": len(added["client"])}


async def beyond_server(pcm: Float32, rounds: int) -> dict[str, float]:
    """From a chunk handed to the client to a decoded frame, and the server's own part of it, in the same run."""
    found = []
    async with Server(Settings.load(port=0), load=lambda: [open_pipeline("live")]) as server:
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder, "speech.wav")
            soundfile.write(wav, pcm, StreamOptions().sample_rate_hz, subtype="PCM_16")
            await first_frames_to_warm(server.address, pcm, StreamOptions(seed=1))
            for _ in range(rounds):
                times = ServerTimes()
                with times.noted():
                    spoken = await asyncio.to_thread(spoken_by_cli, server.address, wav)
                arrived = [time_s for time_s, _, _ in spoken.arrivals]
                assert spoken.info is not None
                warm = spoken.info.clock.frames_until(round(WARM_UP_S * StreamOptions().sample_rate_hz))
                found.append(times.figures(spoken.sent_s, arrived, from_frame=warm))
    return {key: float(np.median([figures[key] for figures in found])) for key in found[0]}


def allocations() -> dict[str, float]:
    """Calls of operator new for each frame, as the programs' own tests count them."""
    found = {}
    for name, program, test in (
        (
            "core_allocations_per_frame",
            CORE / "facestream-core-tests",
            "SteadyState.ThousandsOfPicturesAllocateNothing",
        ),
        (
            "game_threads_allocations_per_frame",
            CLIENT / "facestream-client-tests",
            "Stream.TheGamesThreadsAllocateNothing",
        ),
    ):
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder, "told.json")
            command = [str(program), f"--gtest_filter={test}", f"--gtest_output=json:{told}"]
            subprocess.run(command, capture_output=True, check=True)
            (suite,) = json.loads(told.read_text())["testsuites"]
            found[name] = float(suite["testsuite"][0]["allocations"]) / float(suite["testsuite"][0]["frames"])
    return found


def fuzzed(log: str) -> dict[str, float]:
    """Seconds, inputs and findings of a fuzzer's log. Raises `FacestreamError` for one without an end."""
    done = re.search(r"Done (\d+) runs in (\d+) second", log)
    findings = len(re.findall(r"^==\d+== ?ERROR|SUMMARY: ", log, re.MULTILINE))
    if done is None and not findings:
        raise FacestreamError("the fuzzer's log has no end: let it run until -max_total_time")
    return {
        "fuzz_inputs": float(done[1]) if done else 0.0,
        "fuzz_s": float(done[2]) if done else 0.0,
        "fuzz_findings": findings,
    }


def main() -> None:
    """Measure and write `benchmarks/results/client_cpp.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=4, help="recordings through each client; 0 measures no latency")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the recording")
    parser.add_argument("--fuzz-log", type=Path, help="what facestream-core-fuzz wrote")
    parser.add_argument("--note", action="append", default=[], help="kept beside the figures")
    asked = parser.parse_args()
    figures = allocations()
    if asked.rounds:
        pcm = np.asarray(speech_of(asked.seconds), np.float32)
        figures |= measure(pcm, asked.rounds) | asyncio.run(beyond_server(pcm, asked.rounds))
    if asked.fuzz_log is not None:
        figures |= fuzzed(asked.fuzz_log.read_text(encoding="utf-8", errors="replace"))
    command = f"python -m facestream_bench.client_cpp --rounds {asked.rounds} --seconds {asked.seconds:g}"
    print(write_results("client_cpp", command, figures, notes=asked.note))


if __name__ == "__main__":
    main()
