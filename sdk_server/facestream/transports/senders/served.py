"""The targets of a server's streams: checked, opened, and fed with every frame as it is made."""

import asyncio
from collections.abc import Sequence

from facestream.errors import InvalidValue
from facestream.timebase import FrameRate
from facestream.transports.senders.pacer import Outlet, Pacer
from facestream.transports.senders.permission import TargetPolicy, address_of_peer
from facestream.transports.senders.target import Target, parse_target
from facestream.types import Frames

MOST_TARGETS = 4
"""Of one stream."""

_FIND_S = 5.0
"""For a name server to answer."""


class SentStream:
    """What one stream is sent to; nothing, for most streams. For the event loop only."""

    def __init__(self, outlets: Sequence[Outlet] = ()) -> None:
        self._outlets = list(outlets)

    def add(self, frames: Frames) -> None:
        """Frames as the engine makes them, whether their client reads them or not."""
        for outlet in self._outlets:
            outlet.add(frames)

    def end(self, *, is_complete: bool) -> None:
        """What waits is shown to the end, or, where the stream broke off, the faces ease to rest. Never waits."""
        for outlet in self._outlets:
            if is_complete:
                outlet.finish()
            else:
                outlet.abandon()
        self._outlets.clear()


class StreamSenders:
    """Of one server; its thread begins with the first target that a stream asks for."""

    def __init__(self, policy: TargetPolicy, pacer: Pacer | None = None) -> None:
        self._policy = policy
        self._pacer = pacer or Pacer()

    async def open(self, texts: Sequence[str], peer: str, rate: FrameRate) -> SentStream:
        """Targets of a stream, all or none. Raises `InvalidValue`, `Forbidden`."""
        if not texts:
            return SentStream()
        if len(texts) > MOST_TARGETS:
            raise InvalidValue("send_to", f"{len(texts)} targets", f"at most {MOST_TARGETS}")
        caller = address_of_peer(peer)
        targets = [self._policy.check(parse_target(text), caller) for text in texts]
        outlets: list[Outlet] = []
        try:
            for target in targets:
                outlets.append(await self._opened(target, rate))
        except BaseException:
            SentStream(outlets).end(is_complete=False)
            raise
        return SentStream(outlets)

    async def _opened(self, target: Target, rate: FrameRate) -> Outlet:
        opening = asyncio.ensure_future(asyncio.to_thread(self._pacer.open, target, rate))
        try:
            return await asyncio.wait_for(asyncio.shield(opening), _FIND_S)
        except TimeoutError:
            raise InvalidValue("send_to", repr(target.text), f"a host that is found within {_FIND_S:g} s") from None
        finally:
            if not opening.done():  # the thread can not be stopped; what it opens in the end is closed
                opening.add_done_callback(_close_late)

    async def close(self) -> None:
        """Put every face to rest and stop sending."""
        await asyncio.to_thread(self._pacer.close)


def _close_late(opening: "asyncio.Future[Outlet]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abandon()
