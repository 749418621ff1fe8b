"""The arithmetic in a process of its own: the same frames, and an end that harms nobody for long."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facestream.client import AsyncClient
from facestream.engines.bundle import MANIFEST, open_bundle
from facestream.engines.choice import EngineOptions
from facestream.errors import BundleError, EngineError
from facestream.polish.options import ControlChange
from facestream.serving.engine_process import EngineProcess
from facestream.serving.helper_process import CAN_BE_STARTED
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from tests.serving.hosted_engine import hosted
from tests.serving.streams import spoken
from tests.transports.loopback import loopback, speech, until

pytestmark = pytest.mark.skipif(not CAN_BE_STARTED, reason="no process of its own on this system")


@pytest.fixture
def apart() -> Iterator[Pipeline]:
    pipeline = open_pipeline("live", in_own_process=True)
    yield pipeline
    pipeline.close()


@pytest.fixture(params=["all of it in another process", "an engine that is shared"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    """The other ways of animating than all of it in this process."""
    with contextlib.ExitStack() as held:
        if request.param == "an engine that is shared":
            pipeline = held.enter_context(hosted(tmp_path)).pipeline()
        else:
            pipeline = open_pipeline("live", in_own_process=True)
        yield pipeline
        pipeline.close()


def frames_of(pipeline: Pipeline, count: int, *, seed: int) -> list[Float32]:
    """Weights of some streams that are opened, spoken into and closed at different times, with a change in between."""
    chance = np.random.default_rng(seed)
    streams = [pipeline.open(StreamOptions(seed=number)) for number in range(count)]
    made: list[list[Float32]] = [[] for _ in streams]
    for turn in range(12):
        for number, stream in enumerate(streams):
            if not stream.is_finished:
                stream.push(speech(float(chance.uniform(0.02, 0.2)), seed=turn))
                if turn == 5:
                    stream.control(ControlChange(mouth_strength=0.5), stream.received_samples)
                if turn == 6 + number:
                    stream.finish()
        for frames, outcome in zip(made, pipeline.advance(streams, 2), strict=True):
            assert not isinstance(outcome, EngineError)
            frames.append(outcome.weights)
    for stream in streams:
        stream.close()
    return [np.concatenate(frames) for frames in made]


def test_frames_are_the_same_wherever_they_are_made(far: Pipeline) -> None:
    here = open_pipeline("live")
    for seed in (0, 1):  # the second time in rows that were used before
        for one, other in zip(frames_of(here, 3, seed=seed), frames_of(far, 3, seed=seed), strict=True):
            assert len(one) > 20
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(frames_of(far, 1, seed=2)[0], frames_of(far, 1, seed=3)[0])


def test_steps_at_the_same_time_have_the_frames_of_steps_in_turn(far: Pipeline) -> None:
    groups = range(far.animator.steps_at_once)
    in_turn = [spoken(open_pipeline("live"), group, turns=12) for group in groups]
    with ThreadPoolExecutor(len(groups)) as threads:
        at_once = list(threads.map(lambda group: spoken(far, group, turns=12), groups))
    assert len(groups) > 1
    for one, other in zip(in_turn, at_once, strict=True):
        assert one.any()
        np.testing.assert_array_equal(one, other)


def test_streams_that_never_speak_leave_nothing_behind(apart: Pipeline) -> None:
    process = apart.animator
    assert isinstance(process, EngineProcess)
    for number in range(50):
        streams = [apart.open(StreamOptions(seed=number)) for _ in range(3)]
        for stream in streams:
            stream.close()
    assert len(process._notes) == 3
    assert all(len(notes) == 1 for notes in process._notes.values())


def test_what_is_wrong_with_a_bundle_is_told_as_in_this_process(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(open_bundle("live").folder, folder)
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    told["head_digest"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(BundleError) as here:
        open_pipeline(str(folder))
    with pytest.raises(BundleError) as there:
        open_pipeline(str(folder), in_own_process=True)
    assert str(there.value) == str(here.value)


def test_a_process_that_ends_is_an_error_of_the_engine_and_seen(apart: Pipeline) -> None:
    stream = apart.open(StreamOptions())
    stream.push(speech(1.0))
    assert not apart.is_lost
    apart.close()
    assert apart.is_lost
    (outcome,) = apart.advance([stream])
    assert isinstance(outcome, EngineError)


@pytest.mark.asyncio
async def test_a_process_that_dies_is_replaced_and_a_client_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[EngineProcess] = []
    start = EngineProcess.__init__

    def noting(process: EngineProcess, folder: Path, engine: EngineOptions) -> None:
        start(process, folder, engine)
        started.append(process)

    monkeypatch.setattr(EngineProcess, "__init__", noting)
    async with (
        loopback(lambda: open_pipeline("live", in_own_process=True)) as server,
        AsyncClient(server.server.address) as client,
        client.animate(seed=1) as stream,
    ):
        reading = aiter(stream)
        await stream.send(speech(1.0))
        runs = [await anext(reading)]
        os.kill(started[0]._process.process_id, signal.SIGKILL)
        await until(lambda: len(started) == 2)
        await stream.send(speech(1.0, seed=1))
        await stream.finish()
        runs += [frames async for frames in reading]
    position = 0
    for run in runs:
        assert run.first_index == position, "no frame lost, none twice"
        position = run.end_index
    assert position == 69
    assert all(process.is_lost for process in started), "none is left behind"
