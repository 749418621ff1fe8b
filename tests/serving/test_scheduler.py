"""The order and the size of batches, seen from a pipeline that writes down what it is asked."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from facestream.errors import EngineError
from facestream.serving.admission import Admission
from facestream.serving.animator import Animator
from facestream.serving.host import AnimationHost, StreamRequest
from facestream.serving.limits import Limits
from facestream.serving.live_stream import LiveStream
from facestream.serving.pipeline import Pipeline
from facestream.serving.scheduler import CLIP_HOPS, LIVE_HOPS
from facestream.serving.step_costs import StepCosts
from facestream.types import Frames
from tests.transports.loopback import RATE_HZ, speech, synthetic_pipeline


class Noting(Pipeline):
    """Holds every step until `gate` is open, and notes its batches."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.animator)
        self.gate = threading.Event()
        self.held: list[list[LiveStream]] = []
        self.batches: list[tuple[list[LiveStream], int]] = []

    def advance(self, streams: Sequence[LiveStream], max_hops: int = 1) -> list[Frames | EngineError]:
        self.held.append(list(streams))
        self.gate.wait(20)
        self.batches.append((list(streams), max_hops))
        return super().advance(streams, max_hops)


class Fixture:
    def __init__(self, **pipeline: Any) -> None:
        self.now_s = 100.0
        self.pipeline = Noting(synthetic_pipeline(**pipeline))
        self.host = AnimationHost(
            lambda: [self.pipeline], Limits(), Admission(200, 8), stuck_after_s=30, now=lambda: self.now_s
        )

    def open(self, **fields: Any) -> Any:
        return self.host.open(StreamRequest(sample_rate_hz=RATE_HZ, **fields)).stream

    async def in_a_step(self) -> None:
        """Return once the engine is in a step, held by the gate."""
        while self.host.engine_threads[0].under_way is None:
            await asyncio.sleep(0.001)

    async def settle(self, *streams: Any) -> None:
        while any(stream.live.ready_hops for stream in streams):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_what_gathers_during_a_step_is_one_batch_in_the_order_it_is_due() -> None:
    fixture = Fixture()
    await fixture.host.start()
    first, *others = [fixture.open() for _ in range(9)]
    await first.accept_audio(speech(0.04), None)
    await fixture.in_a_step()
    for stream in reversed(others):
        fixture.now_s += 0.001
        await stream.accept_audio(speech(0.04), None)
    fixture.pipeline.gate.set()
    await fixture.settle(first, *others)
    (alone, hops), (together, _), *_ = fixture.pipeline.batches
    assert alone == [first.live]
    assert hops == LIVE_HOPS
    assert together == [stream.live for stream in reversed(others)]
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_a_second_step_is_gathered_while_one_computes_and_nobody_is_in_both() -> None:
    fixture = Fixture()
    assert isinstance(fixture.pipeline.animator, Animator)
    fixture.pipeline.animator.steps_at_once = 2
    await fixture.host.start()
    first, second, third = [fixture.open() for _ in range(3)]
    for stream in (first, second):
        await stream.accept_audio(speech(0.04), None)
        fixture.now_s += 1.0
        while [stream.live] not in fixture.pipeline.held:
            await asyncio.sleep(0.001)
    for stream in (first, second, third):
        await stream.accept_audio(speech(0.04), None)
    await asyncio.sleep(0.02)
    assert fixture.pipeline.held == [[first.live], [second.live]], "the third one waits for a thread"
    assert fixture.host.engine_threads[0].under_way is not None
    assert fixture.host.engine_threads[0].under_way.streams == (first,), "the step that began first is watched"
    fixture.pipeline.gate.set()
    await fixture.settle(first, second, third)
    assert fixture.pipeline.held[2:] == [[third.live]], "the held steps took what had come to their streams meanwhile"
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_a_stream_that_runs_ahead_yields_to_one_that_does_not() -> None:
    fixture = Fixture(max_rows=1)
    await fixture.host.start()
    blocker, eager, punctual = [fixture.open() for _ in range(3)]
    await blocker.accept_audio(speech(0.04), None)
    await fixture.in_a_step()
    for _ in range(3):
        await eager.accept_audio(speech(0.5), None)
    fixture.now_s += 0.01
    await punctual.accept_audio(speech(0.04), None)
    fixture.pipeline.gate.set()
    await fixture.settle(blocker, eager, punctual)
    order = [batch[0] for batch, _ in fixture.pipeline.batches]
    assert order[0] is blocker.live
    assert order[1] is punctual.live
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_clips_take_the_steps_that_no_live_stream_wants() -> None:
    fixture = Fixture()
    await fixture.host.start()
    live = fixture.open()
    clips = [fixture.open(is_clip=True) for _ in range(3)]
    await clips[0].accept_audio(speech(1.0), None)
    await fixture.in_a_step()
    for clip in clips[1:]:
        await clip.accept_audio(speech(1.0), None)
    await live.accept_audio(speech(0.04), None)
    fixture.pipeline.gate.set()
    await fixture.settle(live, *clips)
    batches = fixture.pipeline.batches
    assert batches[0][0] == [clips[0].live]
    assert batches[1][0] == [live.live], "the live stream is next as soon as it is there"
    assert {clip.live for clip in clips[1:]} <= set(batches[2][0]), "clips batch among themselves"
    assert all(hops < CLIP_HOPS for batch, hops in batches if live.live not in batch), "short steps beside live streams"
    live.finish()
    await fixture.settle(live)
    fixture.host.release(live)
    await clips[0].accept_audio(speech(1.0), None)
    await fixture.settle(clips[0])
    assert fixture.pipeline.batches[-1][1] == CLIP_HOPS
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_batches_end_at_the_largest_the_engine_takes() -> None:
    fixture = Fixture(max_rows=4)
    await fixture.host.start()
    streams = [fixture.open() for _ in range(11)]
    for stream in streams:
        await stream.accept_audio(speech(0.04), None)
    fixture.pipeline.gate.set()
    await fixture.settle(*streams)
    sizes = [len(batch) for batch, _ in fixture.pipeline.batches]
    assert max(sizes) == 4
    assert sum(sizes) >= 11
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_a_released_stream_is_not_stepped_again() -> None:
    fixture = Fixture()
    await fixture.host.start()
    held, gone = fixture.open(), fixture.open()
    await held.accept_audio(speech(0.04), None)
    await fixture.in_a_step()
    await gone.accept_audio(speech(0.5), None)
    fixture.host.release(gone)
    fixture.pipeline.gate.set()
    await fixture.settle(held)
    assert all(gone.live not in batch for batch, _ in fixture.pipeline.batches)
    await fixture.host.stop()


@pytest.mark.asyncio
async def test_an_exception_from_below_ends_its_streams_and_not_the_engine(caplog: pytest.LogCaptureFixture) -> None:
    fixture = Fixture()
    await fixture.host.start()
    fixture.pipeline.gate.set()
    advance = fixture.pipeline.advance
    fixture.pipeline.advance = lambda streams, max_hops=1: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    stream = fixture.open()
    await stream.accept_audio(speech(0.04), None)
    with pytest.raises(EngineError, match=stream.stream_id):
        await stream.next_item()
    assert "ZeroDivisionError" in caplog.text
    fixture.pipeline.advance = advance  # type: ignore[method-assign]
    stream = fixture.open()
    await stream.accept_audio(np.tile(speech(0.1), 2), None)
    assert isinstance(await stream.next_item(), Frames)
    await fixture.host.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(("step_s", "late_s", "pause_s"), [(0.0, 0.0, 0.02), (0.035, 0.0, 0.02), (0.035, 0.02, 0.005)])
async def test_streams_gather_as_long_as_the_first_will_not_be_late(
    step_s: float, late_s: float, pause_s: float
) -> None:
    fixture = Fixture(step_s=step_s, sleep=lambda _: None, max_rows=3)
    await fixture.host.start()
    scheduler, first = fixture.host.engine_threads[0], fixture.open()
    await first.accept_audio(speech(0.01), None)  # less than a hop: nothing to step yet
    fixture.now_s += late_s
    scheduler._next_live_step_s = fixture.now_s + 0.02
    assert scheduler._pause_s(first, 2) == pytest.approx(pause_s)
    assert scheduler._pause_s(first, 3) == 0.0, "a full batch has nobody to wait for"
    fixture.now_s += 0.1
    assert scheduler._pause_s(first, 2) < 0, "the distance has passed"
    scheduler._next_live_step_s = fixture.now_s + 0.015
    assert scheduler._pause_s(first, 2) == pytest.approx(0.015), "who is late already has no hurry"
    await fixture.host.stop()


@pytest.mark.parametrize("seed", range(4))
def test_steps_take_what_nine_in_ten_of_the_last_ones_took(seed: int) -> None:
    chance = np.random.default_rng(seed)
    costs = StepCosts(lambda row_count: 0.001 * row_count)
    assert costs.predict_s(24, 4) == pytest.approx(0.096), "what warm-up measured"
    taken = chance.exponential(0.01, 200)
    for seconds in taken:
        costs.observe(int(chance.integers(17, 33)), 4, seconds)
    known = costs.predict_s(20, 4)
    share = np.mean(taken[-32:] <= known)
    assert 0.85 < share < 0.95
    assert costs.predict_s(20, 2) == pytest.approx(0.04), "of another size nothing is known by that"
    assert costs.predict_s(33, 4) == pytest.approx(0.132)
    for _ in range(32):
        costs.observe(32, 4, 0.001)
    assert costs.predict_s(32, 4) == 0.001, "what was long ago is forgotten"
