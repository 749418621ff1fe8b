"""Feeds a recording at the pace it would be spoken, as a microphone does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from facestream.types import Float32


async def at_live_pace(
    pcm: Float32,
    sample_rate_hz: int,
    *,
    chunk_ms: int = 40,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Float32]:
    """Yield `pcm` (`[T]` or `[T, channels]`) in chunks, each when its last sample would have been captured.

    The pace is kept against the start, so that a late wake-up does not add up.
    """
    chunk = max(1, sample_rate_hz * chunk_ms // 1000)
    started = now()
    for first in range(0, len(pcm), chunk):
        last = min(first + chunk, len(pcm))
        await sleep(max(0.0, started + last / sample_rate_hz - now()))
        yield pcm[first:last]
