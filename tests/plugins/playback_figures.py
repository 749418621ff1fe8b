"""How clients play over a bad network, written to benchmarks/results/playback.json.

    python -m tests.plugins.playback_figures [SECONDS] [DELAY_MS]

Speech is streamed as a microphone would, through a network of its own for each client, which delays every piece of data
by up to 80 ms, both ways, and loses 2 % of them, which costs 200 ms each (TCP sends them again, and what is behind them
waits). The sound is heard `DELAY_MS` after its capture; 60 times a second each client shows the face of what is heard.
Counted are gaps: pictures for which no frame was there; those longer than 100 ms, for which a face holds, are seen. The
lag is that of the drawn jaw behind the frames' own time, by the best fit.
"""

import asyncio
import json
import sys
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facestream.client import AsyncClient
from facestream.curves import INDEX
from facestream.types import Float32
from facestream_bench.results import write_results
from facestream_bench.server_process import running_server
from facestream_bench.speech import RATE_HZ, speech_of
from tests.plugins.conformance.plan import Case
from tests.plugins.conformance.runners import Runner, runners
from tests.plugins.dotnet.toolchain import DotNet
from tests.plugins.proxy import network
from tests.plugins.unity.core_program import CoreProgram, built

PLAYERS = ("cpp", "unity", "web")
SETTLED_S = 0.6
HOLD_PICTURES = 6
"""100 ms: so long a face holds where frames are missing, and nobody sees it."""
LARGEST_STARVED_SHARE = 0.2
"""Beyond it other programs are measured, not these: the networks alone cost a few per cent."""
Pictures = Mapping[str, Sequence[float]]
"""Of each picture: `positions` that the client's clock said, `audible` samples truly heard, `starved` and `jaw`."""


def gaps_of(starved: Sequence[float], longer_than: int = 0) -> int:
    """Runs of starved pictures that are longer than some."""
    gaps, length = 0, 0
    for one in [*starved, 0]:
        if not one:
            gaps += length > longer_than
        length = length + 1 if one else 0
    return gaps


def lag_ms(pictures: Pictures, jaw: Float32) -> float:
    """Of the drawn jaw behind its frames, against what was truly heard; without what follows a gap."""
    starved = np.array(pictures["starved"])
    steady = np.convolve(starved, np.ones(10))[: len(starved)] == 0
    shown, seconds = np.array(pictures["jaw"])[steady], np.array(pictures["audible"])[steady] / RATE_HZ
    lags = np.arange(-100, 101, 1.0)
    frames = np.arange(len(jaw))
    errors = [np.mean((np.interp((seconds - lag / 1000) * 30, frames, jaw) - shown) ** 2) for lag in lags]
    return float(lags[int(np.argmin(errors))])


def figures_of(pictures: Pictures, jaw: Float32, seconds: float) -> dict[str, float]:
    """What the targets speak of."""
    starved = [
        one for one, at in zip(pictures["starved"], pictures["audible"], strict=True) if at > SETTLED_S * RATE_HZ
    ]
    ahead_ms = 1000 * (np.array(pictures["positions"]) - np.array(pictures["audible"])) / RATE_HZ
    return {
        "gaps_a_minute": gaps_of(starved) * 60 / seconds,
        "visible_gaps_a_minute": gaps_of(starved, HOLD_PICTURES) * 60 / seconds,
        "starved_share": float(np.mean(np.array(starved) > 0)),
        # clocks count whole samples
        "pictures_before_their_audio": float((ahead_ms > 1000 / RATE_HZ).sum()),
        "largest_clock_lag_ms": float(-ahead_ms.min()),
        "lag_ms": lag_ms(pictures, jaw),
        "pictures": float(len(starved)),
    }


async def measure(seconds: int, delay_ms: int, folder: Path, cache: Path) -> dict[str, float]:
    """All figures, all clients at once."""
    pcm = np.rint(speech_of(seconds) * 32767).astype("<i2")
    recording = folder / "speech.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
    programs = runners(cache, PLAYERS)
    dotnet = DotNet(cache.parent / "dotnet")
    core = CoreProgram(dotnet, built(dotnet, cache), folder)
    with running_server("live", max_streams=8, websocket_port=0) as server:
        async with AsyncClient(server.address) as client:
            clip = await client.animate_clip(pcm, seed=1)
        jaw = clip.frames.weights[:, INDEX["jawOpen"]]

        async def play(name: str, runner: Runner, seed: int) -> tuple[str, Pictures]:
            address = server.address if runner.transport == "grpc" else server.web_address
            async with network(address, jitter_s=0.08, loss=0.02, seed=seed) as between:
                where = f"127.0.0.1:{between.port}"
                if name == "unity":
                    told = await core.run(
                        "play", speech_of(seconds), server=f"http://{where}", pace="live", delay_ms=delay_ms
                    )
                    return name, told.report
                scheme = "" if runner.transport == "grpc" else "ws://"
                case = Case(case="play", server=scheme + where, audio=str(recording), seed=1, play=delay_ms)
                return name, await _pictures(runner, case, folder / name)

        chosen = [play(name, runner, seed) for seed, (name, runner) in enumerate(programs.items(), start=1)]
        played = dict(await asyncio.gather(*chosen))
    named = {name: figures_of(pictures, jaw, seconds) for name, pictures in played.items()}
    worst = max(found["starved_share"] for found in named.values())
    if worst > LARGEST_STARVED_SHARE:
        raise SystemExit(f"this machine is busy: {worst:.0%} of the pictures had no frame; nothing is written")
    figures = {f"playback.{name}.{key}": value for name, found in named.items() for key, value in found.items()}
    return figures | {"playback.delay_ms": float(delay_ms), "playback.seconds": float(seconds)}


async def _pictures(runner: Runner, case: Case, folder: Path) -> Pictures:
    await asyncio.to_thread(folder.mkdir)
    plan, report = folder / "plan.txt", folder / "report.json"
    plan.write_text(case.line + "\n")
    process = await asyncio.create_subprocess_exec(*runner.words, str(plan), str(report), env=runner.environment)
    assert await process.wait() == 0
    entry: dict[str, Any] = json.loads(report.read_text())["cases"][case.case]
    assert entry["pictures"], entry["message"]
    columns = zip(*entry["pictures"], strict=True)
    return dict(zip(("positions", "audible", "starved", "jaw"), map(list, columns), strict=True))


def main() -> None:
    """Build, measure, write."""
    seconds, delay_ms = (int(word) for word in [*sys.argv[1:], *("60", "500")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(".pytest_cache/d/plugins").resolve()
        figures = asyncio.run(measure(seconds, delay_ms, Path(folder), cache))
    write_results("playback", f"python -m tests.plugins.playback_figures {seconds} {delay_ms}", figures)


if __name__ == "__main__":
    main()
