"""The orderly end: everybody is told, everybody has a grace time, then the house is closed."""

import asyncio
from collections.abc import Callable, Collection

from facestream.errors import Unavailable
from facestream.events import GoingAway
from facestream.serving.stream import ServedStream

_POLL_S = 0.02
_GOODBYE_S = 1.0
"""For the transports to send the last status once everything is over."""


async def drain(streams: Callable[[], Collection[ServedStream]], grace_s: float, now: Callable[[], float]) -> None:
    """Tell every stream that it will end, wait for those that do, close the rest at `grace_s`."""
    for stream in streams():
        if not stream.is_released:
            stream.tell(GoingAway("shutdown", grace_s))
    await _wait_until_empty(streams, now() + grace_s, now)
    for stream in list(streams()):
        if not stream.is_released:
            stream.fail(Unavailable("the server shuts down; continue on another, or later"))
    await _wait_until_empty(streams, now() + _GOODBYE_S, now)


async def _wait_until_empty(
    streams: Callable[[], Collection[ServedStream]], until_s: float, now: Callable[[], float]
) -> None:
    # streams end in many ways; a short poll during shutdown costs less than a signal from each of them
    while streams() and now() < until_s:  # noqa: ASYNC110 - see above
        await asyncio.sleep(_POLL_S)
