"""A pipeline moved on hop by hop by streams that begin together, and what of its time is the model's own step."""

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from facestream.acting import ActingChange
from facestream.engines.base import StepOutput
from facestream.motion.base import MotionSource, Rows
from facestream.serving.animator import Animator
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.types import Float32, Frames
from facestream_bench.speech import clip_speech


class TimedSource:
    """A motion source that notes how long its steps take."""

    def __init__(self, source: MotionSource, now: Callable[[], float]) -> None:
        self.source = source
        self.step_s = 0.0
        self._now = now

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        began = self._now()
        output = self.source.step(pcm, state)
        self.step_s += self._now() - began
        return output


class Marching:
    """`rows` streams of `pipeline`, all at the same hop, each at another place of the same speech; timed by `now`."""

    def __init__(
        self,
        pipeline: Pipeline,
        rows: int,
        acting: ActingChange | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._now = now
        self._timed = TimedSource(pipeline.source, now)
        assert isinstance(pipeline.animator, Animator)
        pipeline.animator.source = cast(MotionSource, self._timed)
        self.pipeline = pipeline
        self.streams = [pipeline.open(StreamOptions(seed=number, acting=acting)) for number in range(rows)]
        self.step_s = 0.0
        """Seconds inside the model's steps so far."""
        self.rest_s = 0.0
        """Seconds of everything else that makes frames of them."""
        self.frames = 0
        self._speech = clip_speech()
        self._hop = 0
        while min(stream.ready_hops for stream in self.streams) < 1:
            self._push()

    def advance(self, hops: int) -> None:
        """Every stream by so many hops, one at a time."""
        for _ in range(hops):
            before, began = self._timed.step_s, self._now()
            results = self.pipeline.advance(self.streams)
            passed, stepped = self._now() - began, self._timed.step_s - before
            for result in results:
                assert isinstance(result, Frames), result
                self.frames += result.count
            self.step_s += stepped
            self.rest_s += passed - stepped
            self._push()

    def close(self) -> None:
        """Give the rows back, and the pipeline its own source."""
        for stream in self.streams:
            stream.close()
        assert isinstance(self.pipeline.animator, Animator)
        self.pipeline.animator.source = self._timed.source

    def _push(self) -> None:
        size = self.pipeline.model.hop_samples
        for number, stream in enumerate(self.streams):
            place = self._hop * size + number * self._speech.size // len(self.streams)
            stream.push(np.take(self._speech, range(place, place + size), mode="wrap"))
        self._hop += 1
