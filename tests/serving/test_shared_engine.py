"""An engine that several servers use: rows that never mix, and an end of either side that harms nobody for long."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from facestream.engines.base import BatchState, StepOutput
from facestream.engines.bundle import open_bundle
from facestream.engines.onnx_hops import OnnxHopEngine
from facestream.errors import EngineError
from facestream.serving.helper_process import CAN_BE_STARTED
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.serving.shared_engine import EngineHangs
from facestream.types import Float32
from tests.serving.hosted_engine import Hosted, hosted
from tests.serving.streams import spoken
from tests.transports.loopback import speech

pytestmark = pytest.mark.skipif(not CAN_BE_STARTED, reason="no sockets of files on this system")


class WatchedEngine(OnnxHopEngine):
    """The shipped one; counts its steps, and does something before each."""

    def __init__(self, before_step: Callable[[], object]) -> None:
        bundle = open_bundle("live")
        assert bundle.live.hop_graph is not None
        super().__init__(bundle, bundle.live.hop_graph)
        self.steps = 0
        self._before_step = before_step

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        self.steps += 1
        self._before_step()
        return super().step(pcm, state)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Hosted]:
    with hosted(tmp_path) as found:
        yield found


def wait_while(condition: Callable[[], object]) -> None:
    """pytest's timeout ends a test that waits for ever."""
    while condition():
        time.sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 2])
def test_servers_at_the_same_time_have_the_frames_that_each_has_alone(tmp_path: Path, at_once: int) -> None:
    servers, engine = 5, WatchedEngine(partial(time.sleep, 0.005))  # long enough that servers meet in it
    with hosted(tmp_path, engine, at_once) as here, ThreadPoolExecutor(servers) as threads:
        pipelines = [here.pipeline() for _ in range(servers)]
        engine.steps = 0
        together = list(threads.map(spoken, pipelines, range(servers)))
        alone = [spoken(open_pipeline("live"), server) for server in range(servers)]
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
            assert one.any()
        assert not np.allclose(alone[0], alone[1], atol=0.01), "rows that were mixed up would be seen"
        assert engine.steps < servers * 6 * 5, "some of them went together"
        for pipeline in pipelines:
            pipeline.close()


def test_a_server_that_leaves_gives_its_rows_back(live: Hosted) -> None:
    first, second = live.pipeline(), live.pipeline()
    spoken(first, 0, turns=1)
    spoken(second, 1, turns=1)
    assert live.host._numbers.taken_count == 6
    first.close()
    wait_while(lambda: live.host._numbers.taken_count > 3)
    third = live.pipeline()
    # in rows that were another server's, and beside those that still are
    np.testing.assert_allclose(spoken(third, 2), spoken(open_pipeline("live"), 2), atol=1e-5)
    assert live.host._numbers.taken_count == 6
    for pipeline in (second, third):
        pipeline.close()
    wait_while(lambda: live.host._numbers.taken_count)
    live.host.wait_until_left()
    assert live.hung == []


def test_what_an_engine_has_against_a_step_is_told_as_in_this_process(live: Hosted) -> None:
    pipeline = live.pipeline()
    streams = [pipeline.open(StreamOptions(seed=number)) for number in range(2)]
    for stream in streams:
        stream.push(speech(0.2))
    with pytest.raises(EngineError, match="numbers of their own"):
        pcm = np.zeros((2, pipeline.model.hop_samples), np.float32)
        pipeline.source.step(pcm, {"state_row": np.array([1.0, 1.0]), "state_begun": np.zeros(2)})
    assert not any(isinstance(outcome, EngineError) for outcome in pipeline.advance(streams))
    pipeline.close()


def test_an_engine_that_hangs_is_told_of_and_let_go(tmp_path: Path) -> None:
    gate = threading.Event()
    engine = WatchedEngine(lambda: gate.wait(20))
    with hosted(tmp_path, engine) as here, ThreadPoolExecutor(1) as threads:
        pipeline = here.pipeline()
        stream = pipeline.open(StreamOptions())
        stream.push(speech(0.2))
        stepping = threads.submit(pipeline.advance, [stream])
        wait_while(lambda: not engine.steps)
        assert not pipeline.is_lost, "that is for those to see who wait for the step"
        pipeline.close()
        assert here.hung == [EngineHangs(os.getpid())]
        gate.set()
        assert not isinstance(stepping.result()[0], EngineError)


def test_a_pipeline_that_was_closed_is_lost_and_says_so(live: Hosted) -> None:
    pipeline = live.pipeline()
    stream = pipeline.open(StreamOptions())
    stream.push(speech(0.2))
    assert not pipeline.is_lost
    pipeline.close()
    assert pipeline.is_lost
    (outcome,) = pipeline.advance([stream])
    assert isinstance(outcome, EngineError)
