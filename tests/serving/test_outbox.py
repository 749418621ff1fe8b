import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import TimeLimit
from facestream.events import FlushDone, FramesDropped, Gap
from facestream.serving.outbox import Outbox
from facestream.types import Frames


def run(first_index: int, count: int) -> Frames:
    return Frames(first_index, np.zeros((count, 52), np.float32))


async def drained(outbox: Outbox) -> list[object]:
    outbox.close()
    items = []
    while (item := await outbox.get()) is not None:
        items.append(item)
    return items


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(1, 30), st.sets(st.integers(0, 39)))
def test_what_is_dropped_and_what_is_left_add_up_in_order(counts: list[int], bound: int, events_at: set[int]) -> None:
    outbox = Outbox(bound, drops_oldest=True)
    first = 0
    for place, count in enumerate(counts):
        if place in events_at:
            outbox.put(Gap(place, 1))
        outbox.put(run(first, count))
        first += count
        assert outbox.frame_count <= max(bound, count)
    items = asyncio.run(drained(outbox))
    position = 0
    for item in items:
        if isinstance(item, Frames):
            assert item.first_index == position
            position = item.end_index
        elif isinstance(item, FramesDropped):
            assert item.first_frame_index == position
            position += item.frame_count
    assert position == first
    kept = [item for item in items if isinstance(item, Frames)]
    if counts:
        assert kept[-1].end_index == first, "the newest frames are those that stay"
    assert [item.first_sample for item in items if isinstance(item, Gap)] == sorted(events_at & set(range(len(counts))))


def test_without_dropping_nothing_is_lost_and_fullness_is_told() -> None:
    outbox = Outbox(3, drops_oldest=False)
    for index in range(10):
        assert outbox.is_full == (index >= 3)
        outbox.put(run(index, 1))
    assert len(asyncio.run(drained(outbox))) == 10


@pytest.mark.asyncio
async def test_a_waiting_reader_wakes() -> None:
    outbox = Outbox(3, drops_oldest=True)
    reading = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    outbox.put(FlushDone(1, 0))
    assert await reading == FlushDone(1, 0)


@pytest.mark.asyncio
async def test_failure_comes_before_what_is_unsent() -> None:
    outbox = Outbox(3, drops_oldest=True)
    outbox.put(run(0, 1))
    outbox.fail(TimeLimit("too late"))
    outbox.put(run(1, 1))
    with pytest.raises(TimeLimit, match="too late"):
        await outbox.get()
