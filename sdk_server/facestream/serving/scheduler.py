"""Engine threads of a model: they take the streams that can move on, in batches, the one due first at the front.

Live streams come first; clips get the steps that no live stream wants. A step is dispatched as soon as the engine is
idle: while one runs, the next batch gathers by itself. Beside many streams steps also keep a distance, because half of
a small step is the same work whatever its size: the network alone takes 0.33 ms a row in a step of 8 rows, 0.20 in one
of 32 and 0.17 in one of 64 (measured 2026-11-21, `live` 1.0). A full batch does not wait for that, nor does one whose
first stream would be late by what the step is expected to take: with 200 streams on two cores p99 of the added latency
was 71, 56, 67 and 60 ms without that and 53, 46, 45 and 44 with it. One that is late already has no hurry: small steps
would make it later (79 to 129 ms in place of 43 to 97; single runs by turns, 2026-11-22). Results of a whole batch go
back to the event loop in one call.

Where an animator computes in a process of its own, there are as many threads as it takes steps at once.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facestream.curves import CURVE_COUNT
from facestream.errors import EngineError, Unavailable
from facestream.serving.step_costs import StepCosts
from facestream.serving.stream import ServedStream
from facestream.types import Frames

log = logging.getLogger(__name__)

_NO_WEIGHTS = np.zeros((0, CURVE_COUNT), np.float32)

LIVE_HOPS = 4
"""Hops a live step may take at once: 160 ms of audio, for streams that have fallen behind."""

CLIP_HOPS = 16
"""Hops a clip step may take while no live stream is open: 640 ms."""

CLIP_STEP_S = 0.008
"""Longest clip step beside live streams; a live stream may find the engine busy for this long."""

DISTANCE_S_PER_STREAM = 0.0005
LONGEST_DISTANCE_S = 0.020
"""Distance between the starts of two live steps: none to speak of for a few streams, 20 ms from 40 on. With the engine
in a process of its own, on two cores that it shares with 80 streams' clients, p99 of the added latency was 20 and -9 ms
with 14 ms, 17 and 2 with 20, 9 and 8 with 28, 170 and 217 with 36; with 112 streams 104 with 20 and 340 with 28 (single
runs by turns, 2026-11-21)."""


LATE_S = 0.060
"""Behind the capture of its audio a live stream's frames are late: the bound of `facestream-bench capacity`."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The step under way, for whoever watches over the engine."""

    started_s: float
    streams: tuple[ServedStream, ...]


@dataclass(slots=True)
class StepCounts:
    """What the engine has done so far. Written by the engine thread, read by anyone."""

    steps: int = 0
    rows: int = 0


class Scheduler:
    """Steps streams on threads of its own. `wake` says that a stream may have something to do."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        now: Callable[[], float],
        live_count: Callable[[], int],
        costs: StepCosts,
        threads: int = 1,
    ) -> None:
        self.counts = StepCounts()
        self._under_way: dict[int, StepStarted] = {}
        self._loop = loop
        self._now = now
        self._live_count = live_count
        self._woken: deque[ServedStream] = deque()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._next_live_step_s = 0.0
        self._waiting: dict[ServedStream, None] = {}
        self._stepping: set[ServedStream] = set()
        """Whoever is in a step is in no other."""
        self._costs = costs
        self._choosing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"facestream-engine-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    @property
    def under_way(self) -> StepStarted | None:
        """The step that began first of those under way."""
        return min(self._under_way.copy().values(), key=lambda step: step.started_s, default=None)

    def wake(self, stream: ServedStream) -> None:
        """`stream` may have hops to compute, room for them, or have come to its end. Cheap; from any thread."""
        self._woken.append(stream)
        if not self._work.is_set():
            self._work.set()

    def stop(self, *, wait_s: float) -> bool:
        """Let the step under way end and stop; `False` where it has not ended within `wait_s`."""
        self.abandon()
        for thread in self._threads:
            thread.join(wait_s)
        return not any(thread.is_alive() for thread in self._threads)

    def abandon(self) -> None:
        """Give up on a thread that hangs: whatever it returns one day is thrown away."""
        self._stopping.set()
        self._work.set()

    def _run(self, thread: int) -> None:
        while not self._stopping.is_set():
            with self._choosing:
                batch, pause_s = self._next_batch()
                for stream in batch:
                    del self._waiting[stream]
                self._stepping.update(batch)
                if batch and not batch[0].is_clip:
                    distance_s = min(LONGEST_DISTANCE_S, DISTANCE_S_PER_STREAM * self._live_count())
                    self._next_live_step_s = self._now() + distance_s
                planned_s = self._next_live_step_s
            if batch:
                self._step(thread, batch)
                with self._choosing:
                    self._stepping.difference_update(batch)
                    self._waiting.update(dict.fromkeys(batch))
            elif pause_s > 0:
                self._stopping.wait(pause_s)
                with self._choosing:
                    if self._next_live_step_s == planned_s:
                        self._next_live_step_s = self._now()
            else:
                self._work.wait()
                if not self._stopping.is_set():  # the others are to see it too
                    self._work.clear()

    def _next_batch(self) -> tuple[list[ServedStream], float]:
        """The streams to step now; without any, how long to let live streams gather (0: until one is woken)."""
        self._take_woken()
        ready = sorted((one for one in self._waiting if not one.is_blocked), key=lambda one: (one.is_clip, one.due_s))
        if not ready:
            return [], 0.0
        first = ready[0]
        if not first.is_clip:
            pause_s = self._pause_s(first, len(ready))
            if pause_s > 0:
                first = next((one for one in ready if one.is_clip), first)
                if not first.is_clip:
                    return [], pause_s
        if first.live.is_whole:
            return [first], 0.0  # its step may take seconds, and gains nothing by company
        alike = [one for one in ready if one.pipeline is first.pipeline and one.is_clip == first.is_clip]
        if first.is_clip:
            return alike[: first.pipeline.max_rows], 0.0
        return alike[: first.pipeline.rows_in_step([one.live for one in alike])], 0.0

    def _pause_s(self, first: ServedStream, ready_count: int) -> float:
        """How long a live step may let more streams gather; 0 or less: not at all."""
        if ready_count >= first.pipeline.max_rows:
            return 0.0
        now_s = self._now()
        pause_s = min(self._next_live_step_s - now_s, LONGEST_DISTANCE_S)
        slack_s = first.due_s + LATE_S - now_s - self._costs.predict_s(ready_count, 1)
        return min(pause_s, slack_s) if slack_s > 0 else pause_s

    def _take_woken(self) -> None:
        while self._woken:
            stream = self._woken.popleft()
            if stream not in self._stepping:
                self._waiting[stream] = None
        idle = [stream for stream in self._waiting if stream.is_released or stream.live.ready_hops < 1]
        for stream in idle:
            del self._waiting[stream]
        ended = [stream for stream in idle if not stream.is_released and stream.live.is_done]
        if ended:
            self._post(ended, [Frames(one.live.next_frame_index, _NO_WEIGHTS) for one in ended])

    def _step(self, thread: int, batch: Sequence[ServedStream]) -> None:
        first = batch[0]
        max_hops = self._clip_hops(len(batch)) if first.is_clip else LIVE_HOPS
        hops_before = first.live.hops_done
        started_s = self._now()
        self._under_way[thread] = StepStarted(started_s, tuple(batch))
        results: Sequence[Frames | EngineError]
        try:
            results = first.pipeline.advance([stream.live for stream in batch], max_hops)
        except Exception as error:
            log.exception("engine step failed", extra={"streams": [stream.stream_id for stream in batch]})
            results = [EngineError(str(error))] * len(batch)
        del self._under_way[thread]
        took_s = self._now() - started_s
        with self._choosing:
            self.counts.steps += 1
            self.counts.rows += len(batch)
            if hop_count := first.live.hops_done - hops_before:
                self._costs.observe(len(batch), hop_count, took_s)
        if first.is_clip:
            for stream in batch:
                stream.due_s = started_s  # the clip served longest ago is next
        if not self._stopping.is_set():
            self._post(batch, results)

    def _clip_hops(self, row_count: int) -> int:
        """As many as no live stream minds, of which nothing is known: one."""
        hop_count = CLIP_HOPS
        while hop_count > 1 and self._live_count():
            if 0 < self._costs.predict_s(row_count, hop_count) <= CLIP_STEP_S:
                break
            hop_count //= 2
        return hop_count

    def _post(self, streams: Sequence[ServedStream], results: Sequence[Frames | EngineError]) -> None:
        # whether a stream is done is asked here, behind its step: the loop could see it with frames still on the way
        outcomes = [(stream, result, stream.live.is_done) for stream, result in zip(streams, results, strict=True)]
        self._loop.call_soon_threadsafe(_deliver, outcomes)


def _deliver(outcomes: Sequence[tuple[ServedStream, Frames | EngineError, bool]]) -> None:
    for stream, result, is_done in outcomes:
        if isinstance(result, Frames):
            stream.deliver(result, is_last=is_done)
        elif stream.is_released:
            continue
        elif stream.pipeline.is_lost:
            stream.fail(Unavailable("the engine has ended and is started anew; resume the stream"))
        else:
            log.error("engine failed for a stream", extra={"stream": stream.stream_id, "error": str(result)})
            stream.fail(
                EngineError(f"the engine failed for this stream; the server's log names it under {stream.stream_id}")
            )
