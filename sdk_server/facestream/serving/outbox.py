"""What waits to be sent to one client. Bounded: a client that does not read costs itself, and nobody else."""

import asyncio
from collections import deque

from facestream.events import FramesDropped, StreamEvent
from facestream.types import Frames

EVENT_BOUND = 64
"""Unsent events beyond which a stream takes no more input; events are never dropped."""


class Outbox:
    """Frames and events of one stream in the order in which they belong. Used on the event loop only.

    With `drops_oldest`, frames beyond `bound_frames` push out the oldest unsent ones, and an event in their place tells
    how many. Without it nothing is lost, and whoever fills the box asks `is_full` first.
    """

    def __init__(self, bound_frames: int, *, drops_oldest: bool) -> None:
        self._bound_frames = bound_frames
        self._drops_oldest = drops_oldest
        self._items: deque[Frames | StreamEvent] = deque()
        self._frame_count = 0
        self._event_count = 0
        self._is_closed = False
        self._failure: Exception | None = None
        self._filled: asyncio.Future[None] | None = None

    @property
    def frame_count(self) -> int:
        """Unsent frames."""
        return self._frame_count

    @property
    def event_count(self) -> int:
        """Unsent events."""
        return self._event_count

    @property
    def is_full(self) -> bool:
        """Whether more frames would have to wait, or would push out older ones."""
        return self._frame_count >= self._bound_frames

    def put(self, item: Frames | StreamEvent) -> None:
        """Add behind the rest. After `close` or `fail` nothing is taken."""
        if self._is_closed:
            return
        self._items.append(item)
        if isinstance(item, Frames):
            self._frame_count += item.count
            if self._drops_oldest:
                self._drop_oldest()
        else:
            self._event_count += 1
        self._wake()

    def close(self) -> None:
        """Nothing more comes: `get` gives what is left, then `None`."""
        self._is_closed = True
        self._wake()

    def fail(self, failure: Exception) -> None:
        """`get` raises `failure` next; what is unsent is forgotten."""
        self._items.clear()
        self._frame_count = self._event_count = 0
        self._failure = self._failure or failure
        self.close()

    async def get(self) -> Frames | StreamEvent | None:
        """The oldest item, as soon as there is one; `None` at the end. One caller at a time."""
        while True:
            if self._failure is not None:
                raise self._failure
            if self._items:
                item = self._items.popleft()
                if isinstance(item, Frames):
                    self._frame_count -= item.count
                else:
                    self._event_count -= 1
                return item
            if self._is_closed:
                return None
            self._filled = asyncio.get_running_loop().create_future()
            await self._filled

    def _wake(self) -> None:
        if self._filled is not None and not self._filled.done():
            self._filled.set_result(None)

    def _drop_oldest(self) -> None:
        # the newest run stays even where it alone is longer than the bound
        while self._frame_count > self._bound_frames:
            runs = [place for place, item in enumerate(self._items) if isinstance(item, Frames)]
            if len(runs) < 2:
                return
            place = runs[0]
            run = self._items[place]
            assert isinstance(run, Frames)
            self._frame_count -= run.count
            before = self._items[place - 1] if place else None
            if isinstance(before, FramesDropped) and before.first_frame_index + before.frame_count == run.first_index:
                self._items[place - 1] = FramesDropped(before.first_frame_index, before.frame_count + run.count)
                del self._items[place]
            else:
                self._items[place] = FramesDropped(run.first_index, run.count)
                self._event_count += 1
