"""One recording streamed at live pace: what came back, and how far behind its audio."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np

from facestream.client import AsyncClient, StreamInfo, StreamOptions
from facestream.events import StreamEvent
from facestream.types import Float32, Frames, joined_frames


@dataclass(slots=True)
class LiveTake:
    """Frames of one stream with the moment each arrived.

    Times are seconds of the capture clock: 0 is the moment the first sample was captured.
    """

    info: StreamInfo
    runs: list[Frames] = field(default_factory=list)
    arrivals_s: list[float] = field(default_factory=list)
    events: list[StreamEvent] = field(default_factory=list)

    @property
    def frames(self) -> Frames:
        return joined_frames(self.runs, len(self.info.curve_names))

    @property
    def time_to_first_frame_ms(self) -> float:
        """From the capture of the first sample to the arrival of the first frame; NaN without frames."""
        return 1000 * self.arrivals_s[0] if self.arrivals_s else float("nan")

    def lags_ms(self) -> Float32:
        """How far each frame arrived behind the audio it belongs to, `[F]`."""
        clock = self.info.clock
        captured = [
            clock.sample_of(index) / clock.sample_rate_hz
            for run in self.runs
            for index in range(run.first_index, run.end_index)
        ]
        arrived = [at for run, at in zip(self.runs, self.arrivals_s, strict=True) for _ in range(run.count)]
        lags: Float32 = (1000 * (np.array(arrived) - np.array(captured))).astype(np.float32)
        return lags

    def lag_percentiles_ms(self) -> dict[str, float]:
        """p50, p95 and p99 of `lags_ms`."""
        lags = self.lags_ms()
        if not len(lags):
            return {}
        return {f"p{q}": float(np.percentile(lags, q)) for q in (50, 95, 99)}


async def stream_live(
    client: AsyncClient,
    chunks: AsyncIterator[Float32],
    options: StreamOptions,
    *,
    on_frames: Callable[[LiveTake], None],
    now: Callable[[], float] = time.monotonic,
) -> LiveTake:
    """Send `chunks` as they come and collect every frame; `on_frames` is called after each run of frames."""
    async with client.animate(options) as stream:
        take = LiveTake(stream.info)
        started = now()

        async def send() -> None:
            async for chunk in chunks:
                await stream.send(chunk)
            await stream.finish()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            async for message in stream.messages():
                if isinstance(message, Frames):
                    take.runs.append(message)
                    take.arrivals_s.append(now() - started)
                    on_frames(take)
                else:
                    take.events.append(message)
    return take
