"""Many live speakers at once: each sends 40 ms chunks as a microphone would, and notes when its frames come.

Definitions. A frame's *lag* is the time from the capture of its own sample to its arrival: what a game has to delay its
sound by. Its audio is *needed* up to its own sample plus the announced look-ahead; *added latency* is the time from the
sending of the chunk that holds the last needed sample to the arrival of the frame: the part that a server can be blamed
for. A frame is *missed* if it never comes, or comes more than 100 ms late, when a face that was holding its last frame
begins to ease away.
"""

import asyncio
import gc
import random
import statistics
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from facestream.client import AsyncClient, StreamInfo, StreamOptions
from facestream.types import Float32, Frames
from facestream_bench.server_process import ServerProcess

CHUNK_MS = 40
MISSED_AFTER_S = 0.1

Figures = dict[str, float]


@dataclass
class Speaker:
    """One stream: when which audio left, and when which frame came. Times in seconds of one clock."""

    started_s: float = 0.0
    """When the first sample was captured; its chunk leaves `CHUNK_MS` later."""
    sent_samples: list[int] = field(default_factory=list)
    sent_s: list[float] = field(default_factory=list)
    arrivals: list[tuple[float, int, int]] = field(default_factory=list)
    """Time, first frame, frames."""
    info: StreamInfo | None = None

    def added_s(self, warm_up_s: float = 0.0) -> list[float]:
        """Added latency of each frame whose audio was sent after `warm_up_s`; frames of the rest tail are left out."""
        assert self.info is not None
        added = []
        for arrived_s, first, count in self.arrivals:
            for index in range(first, first + count):
                needed = self.info.clock.sample_of(index) + self.info.latency_samples
                place = bisect_left(self.sent_samples, needed)
                if place < len(self.sent_s) and self.sent_s[place] - self.started_s >= warm_up_s:
                    added.append(arrived_s - self.sent_s[place])
        return added

    def lag_s(self) -> list[float]:
        """From the capture of each frame's own sample to its arrival; frames of the rest tail are left out."""
        assert self.info is not None
        clock, lags = self.info.clock, []
        for arrived_s, first, count in self.arrivals:
            samples = [clock.sample_of(index) for index in range(first, first + count)]
            spoken = [sample for sample in samples if sample < self.sent_samples[-1]]
            lags += [arrived_s - self.started_s - sample / clock.sample_rate_hz for sample in spoken]
        return lags

    def sending_late_s(self) -> list[float]:
        """How late each chunk left: what the measuring process itself could not keep up with."""
        assert self.info is not None
        rate_hz = self.info.clock.sample_rate_hz
        due_s = [self.started_s + sample / rate_hz for sample in self.sent_samples]
        return [sent_s - due for sent_s, due in zip(self.sent_s, due_s, strict=True)]

    def first_frame_s(self) -> float:
        """From the capture of the first sample to the first frame."""
        return self.arrivals[0][0] - self.started_s

    def expected_count(self) -> int:
        """Frames that belong to the audio sent."""
        assert self.info is not None
        return self.info.clock.frames_until(self.sent_samples[-1])

    def missed_count(self) -> int:
        """Frames that never came or came too late to be shown."""
        expected = self.expected_count()
        came = {index for _, first, count in self.arrivals for index in range(first, first + count)}
        never = sum(index not in came for index in range(expected))
        return never + sum(late > MISSED_AFTER_S for late in self.added_s())


Crowd = Callable[[str, Float32, StreamOptions, int], tuple[list[Speaker], float]]
"""Address, speech, options and count -> the speakers, and the processor time of their client in seconds."""


def measure_streams(server: ServerProcess, pcm: Float32, options: StreamOptions, count: int, crowd: Crowd) -> Figures:
    """`count` speakers of `pcm` [T] at once, each beginning elsewhere in it."""
    asyncio.run(first_frames_to_warm(server.address, pcm, options))
    seconds = len(pcm) / options.sample_rate_hz
    server_s = server.processor_s()
    speakers, client_s = crowd(server.address, pcm, options, count)
    server_s = server.processor_s() - server_s
    figures: Figures = {}
    for name, late_s in (
        ("added", [late for one in speakers for late in one.added_s()]),
        ("lag", [late for one in speakers for late in one.lag_s()]),
        ("sending_late", [late for one in speakers for late in one.sending_late_s()]),
    ):
        figures |= {f"{name}_{key}": value for key, value in percentiles_ms(late_s).items()}
    missed, expected = (sum(find(one) for one in speakers) for find in (Speaker.missed_count, Speaker.expected_count))
    return figures | {
        "first_frame_ms": 1000 * statistics.median(one.first_frame_s() for one in speakers),
        "missed_frames": missed,
        "missed_share": missed / expected,
        "server_cores": server_s / seconds,
        "client_cores": client_s / seconds,
        "resident_mb": server.resident_mb(),
    }


async def captured(pcm: Float32, rate_hz: int, speaker: Speaker) -> AsyncIterator[Float32]:
    """Chunks of `pcm` `[T]` at the pace of a microphone; `speaker` notes when each one leaves."""
    size = rate_hz * CHUNK_MS // 1000
    speaker.started_s = time.perf_counter()
    for last in range(size, len(pcm) + 1, size):
        await asyncio.sleep(speaker.started_s + last / rate_hz - time.perf_counter())
        speaker.sent_samples.append(last)
        speaker.sent_s.append(time.perf_counter())
        yield pcm[last - size : last]


async def speak(client: AsyncClient, pcm: Float32, options: StreamOptions, delay_s: float) -> Speaker:
    """One speaker, from opening the stream to its last frame."""
    speaker = Speaker()
    await asyncio.sleep(delay_s)
    async with client.animate(options, resume=False) as stream:
        speaker.info = stream.info

        async def receive() -> None:
            async for frames in stream:
                speaker.arrivals.append((time.perf_counter(), frames.first_index, frames.count))

        receiving = asyncio.create_task(receive())
        async for chunk in captured(pcm, options.sample_rate_hz, speaker):
            await stream.send(chunk)
        await stream.finish()
        await receiving
    return speaker


def python_crowd(address: str, pcm: Float32, options: StreamOptions, count: int) -> tuple[list[Speaker], float]:
    """Speakers who share the Python client of one process."""
    began_s = time.process_time()
    return asyncio.run(crowd(address, pcm, options, count)), time.process_time() - began_s


async def crowd(address: str, pcm: Float32, options: StreamOptions, count: int, *, seed: int = 0) -> list[Speaker]:
    """`count` speakers who begin at random moments within one second, each at another place of `pcm`."""
    chance = random.Random(seed)
    gc.collect()
    gc.freeze()  # a collection of the measuring process is not the server's latency
    async with AsyncClient(address) as client:
        speakers = [
            speak(client, np.roll(pcm, -chance.randrange(len(pcm))), options, chance.random()) for _ in range(count)
        ]
        return list(await asyncio.gather(*speakers))


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest, in milliseconds."""
    values = 1000 * np.array(seconds)
    return {
        "p50_ms": float(np.percentile(values, 50)),
        "p95_ms": float(np.percentile(values, 95)),
        "p99_ms": float(np.percentile(values, 99)),
        "max_ms": float(values.max()),
    }


async def first_frames_to_warm(address: str, pcm: Float32, options: StreamOptions) -> Frames | None:
    """One short stream, so that a measurement does not pay for the first connection of the process."""
    async with AsyncClient(address) as client, client.animate(options) as stream:
        await stream.send(pcm[: options.sample_rate_hz])
        await stream.finish()
        last = None
        async for frames in stream:
            last = frames
        return last
