"""What runners play against: one server with both engines, a network of its own where a case wants one, recordings."""

import asyncio
import contextlib
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facestream.client import AsyncClient, StreamOptions
from facestream.engines.synthetic import Faults
from facestream.events import StreamEvent
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameClock, FrameRate
from facestream.transports.server import Server
from facestream.types import Frames
from facestream_bench.speech import RATE_HZ, speech_of
from tests.plugins.conformance.plan import Case, Scenario
from tests.plugins.proxy import network
from tests.transports.loopback import settings, synthetic_pipeline

TOKEN = "conformance"
FATAL, FATAL_AT = Faults(poison_level=0.99), 3 * RATE_HZ
"""The engine can not compute a step with a sample as loud as that, which one recording has there."""


@dataclass(frozen=True)
class Expected:
    """What Python's client is given for the same recording by `AnimateClip`."""

    frames: Frames
    clock: FrameClock
    events: tuple[StreamEvent, ...]


@dataclass
class Stage:
    """A server that runs, and recordings beside it."""

    scenario: Scenario
    server: Server
    audio: dict[str, Path]

    @asynccontextmanager
    async def plan(self, transport: str, *names: str) -> AsyncIterator[list[Case]]:
        """All cases, or those of some names, as a runner gets them; networks stand as long as it is open."""
        address = self.server.address if transport == "grpc" else self.server.web_address
        assert address is not None
        scheme = "" if transport == "grpc" else "ws://"
        async with AsyncExitStack() as networks:
            cases = []
            for written in (self.scenario.only(names) if names else self.scenario).cases:
                where = address
                if written.network:
                    between = await networks.enter_async_context(network(address, **written.network))
                    where = f"127.0.0.1:{between.port}"
                cases.append(written.case(scheme + where, TOKEN, self._recordings))
            yield cases

    async def expected(self) -> dict[str, Expected]:
        """For each case that has frames."""
        found: dict[tuple[str, str, int, int], Expected] = {}
        by_case = {}
        async with AsyncClient(self.server.address, token=TOKEN) as client:
            for written in self.scenario.cases:
                if written.expect.get("most_frames") == 0:
                    continue
                case = written.case(self.server.address, TOKEN, self._recordings)
                if like := written.expect.get("like"):
                    case = replace(case, audio=self._recordings[like])
                key = (case.audio, case.model, case.seed, case.frame_rate)
                if key not in found:
                    found[key] = await _clip(client, case)
                by_case[case.case] = found[key]
        return by_case

    @property
    def _recordings(self) -> dict[str, str]:
        return {name: str(path) for name, path in self.audio.items()}

    async def emptied(self) -> None:
        """Until every place on the server is free again: what is cancelled or lost must not stay."""
        while self.server.host.streams or any(pipeline.open_count for pipeline in self.server.host.pipelines):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def stage(scenario: Scenario, folder: Path) -> AsyncIterator[Stage]:
    """Serve on free ports; `folder` takes the recordings."""
    audio = {name: folder / f"{name}.wav" for name in scenario.audio_seconds}
    for name, seconds in scenario.audio_seconds.items():
        with contextlib.closing(wave.open(str(audio[name]), "wb")) as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            pcm = np.rint(speech_of(seconds) * 32767).astype("<i2")
            if name == "fatal":
                pcm[FATAL_AT] = 32767
            file.writeframes(pcm.tobytes())
    limits = settings(
        tokens=(TOKEN,),
        websocket_port=0,
        websocket_origins=("*",),
        max_streams=256,
        max_clips=8,
        max_age_s=600,
        # a machine that is busy otherwise is no fault of a client
        stuck_after_s=60,
        start_timeout_s=60,
        idle_timeout_s=300,
    )
    async with Server(limits, load=lambda: [synthetic_pipeline(faults=FATAL), open_pipeline("live")]) as server:
        yield Stage(scenario, server, audio)


async def _clip(client: AsyncClient, case: Case) -> Expected:
    with wave.open(case.audio, "rb") as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    options = StreamOptions(model=case.model, seed=case.seed, frame_rate=FrameRate(case.frame_rate))
    clip = await client.animate_clip(pcm, options)
    return Expected(clip.frames, clip.info.clock, clip.events)
