"""The callers of a soak: most speak to the end, some break off, read slowly, send a whole recording, or get it wrong.

Each call has a connection of its own, as games have. What a caller must meet is part of the call: an error that does
not come where it should is as much a failure as one that comes where it should not.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import numpy as np

from facestream.client import AsyncClient, StreamOptions
from facestream.errors import FacestreamError, PositionError
from facestream.types import Float32
from facestream_bench.live_load import CHUNK_MS, speak

SHORTEST_S = 1.0
SLOW_READ_S = 0.4
"""How long a slow reader looks at each message while it speaks."""


@dataclass
class Diary:
    """What has happened so far. Moments in seconds since the beginning."""

    calls: Counter[str] = field(default_factory=Counter)
    """Calls that went as they should, by kind."""
    errors: Counter[str] = field(default_factory=Counter)
    """Those that did not, by kind of call and what came instead."""
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """Moment and added latency in seconds of every frame of those who spoke to the end."""
    missed: int = 0
    dropped: int = 0
    """Frames that slow readers were told they had lost."""


@dataclass(frozen=True)
class Callers:
    """Where they call, what they say, and the diary they keep."""

    address: str
    pcm: Float32
    options: StreamOptions
    diary: Diary
    started_s: float
    chance: random.Random

    async def call(self, kind: str) -> None:
        """One call of that kind, noted in the diary."""
        began = self.chance.randrange(len(self.pcm))
        seconds = self.chance.uniform(SHORTEST_S, len(self.pcm) / self.options.sample_rate_hz)
        pcm = np.roll(self.pcm, -began)[: round(seconds * self.options.sample_rate_hz)]
        try:
            async with AsyncClient(self.address) as client:
                await KINDS[kind](self, client, pcm)
        except (FacestreamError, AssertionError) as error:
            self.diary.errors[f"{kind}: {type(error).__name__}: {error}"] += 1
        else:
            self.diary.calls[kind] += 1

    async def speak_to_the_end(self, client: AsyncClient, pcm: Float32) -> None:
        speaker = await speak(client, pcm, self.options, 0.0)
        since = speaker.started_s - self.started_s
        self.diary.latencies += [(since, late) for late in speaker.added_s()]
        self.diary.missed += speaker.missed_count()

    async def break_off(self, client: AsyncClient, pcm: Float32) -> None:
        """Gone in the middle of a word, without goodbye."""
        speaking = asyncio.create_task(speak(client, pcm, self.options, 0.0))
        await asyncio.sleep(self.chance.uniform(0.0, len(pcm) / self.options.sample_rate_hz))
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking

    async def read_slowly(self, client: AsyncClient, pcm: Float32) -> None:
        """Looks at each message for long while it speaks, and then reads what has come meanwhile."""
        async with client.animate(self.options, resume=False) as stream:

            async def send() -> None:
                step = self.options.sample_rate_hz * CHUNK_MS // 1000
                for begin in range(0, len(pcm), step):
                    await stream.send(pcm[begin : begin + step])
                    await asyncio.sleep(CHUNK_MS / 1000)
                await stream.finish()

            sending = asyncio.create_task(send())
            async for message in stream.messages():
                self.diary.dropped += getattr(message, "frame_count", 0)
                if not sending.done():
                    await asyncio.sleep(SLOW_READ_S)
            await sending

    async def send_a_recording(self, client: AsyncClient, pcm: Float32) -> None:
        clip = await client.animate_clip(pcm, self.options)
        expected = clip.info.clock.frames_until(len(pcm))
        assert clip.frames.count >= expected, f"{clip.frames.count} of {expected} frames"
        assert np.isfinite(clip.frames.weights).all(), "weights that are not finite"

    async def get_it_wrong(self, client: AsyncClient, pcm: Float32) -> None:
        """Audio at a place that has been: refused, and nobody else is the worse for it."""
        options = replace(self.options, slow_reader="wait")
        try:
            async with client.animate(options, resume=False) as stream:
                await stream.send(pcm[:1600])
                await stream.send(pcm[:1600], first_sample=0)
                await stream.finish()
                async for _ in stream:
                    pass
        except PositionError:
            return
        raise AssertionError("audio that goes back was taken")


KINDS: dict[str, Callable[[Callers, AsyncClient, Float32], Awaitable[None]]] = {
    "spoken": Callers.speak_to_the_end,
    "broken_off": Callers.break_off,
    "slow": Callers.read_slowly,
    "recordings": Callers.send_a_recording,
    "wrong": Callers.get_it_wrong,
}
SHARES = {"spoken": 0.6, "broken_off": 0.2, "slow": 0.1, "recordings": 0.05, "wrong": 0.05}
"""How often a seat is taken by which kind."""


async def one_seat(callers: Callers, until_s: float) -> None:
    """One caller after another until that moment; the last one may end behind it."""
    while time.perf_counter() - callers.started_s < until_s:
        (kind,) = callers.chance.choices(list(SHARES), list(SHARES.values()))
        await callers.call(kind)
        await asyncio.sleep(callers.chance.uniform(0.0, 0.2))
