"""The engine of `live` models with the memory of this machine in place of a device's, and ONNX Runtime for the network.

Addresses, padding, rows that grow and are used again are what they are on a device; CUDA is not tested by this.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from facestream.engines.base import BUCKETS, ROW, StepOutput
from facestream.engines.bundle import Bundle
from facestream.engines.onnx import OnnxEngine
from facestream.engines.tensorrt import HEARD, TensorRtEngine
from facestream.engines.tensorrt_profiles import MOST_HOPS
from facestream.engines.tensorrt_state import NEXT_STATE, STATE, with_packed_state
from facestream.errors import EngineError
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.types import Float32, Frames, joined_frames
from tests.engines.tiny_model import HOP, write_tiny_bundle
from tests.serving.streams import babble, pipeline_with

Shape = tuple[int, ...]
OnStream = Callable[["HostStream", Mapping[str, int]], None]


class HostMemory:
    def __init__(self, size: int) -> None:
        self.size = size
        self.bytes = np.zeros(size, np.uint8)
        self.address = self.bytes.ctypes.data


class HostStream:
    def move(self, to: int, source: int, size: int) -> None:
        ctypes.memmove(to, source, size)

    def clear(self, address: int, size: int) -> None:
        ctypes.memset(address, 0, size)

    def wait(self) -> None: ...


class HostGraph:
    """The packed graph on ONNX Runtime; state that nobody filled is noise, as on a device."""

    def __init__(self, bundle: Bundle) -> None:
        model = with_packed_state(onnx.load(bundle.graph_path), bundle.model.states)
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        self._random = np.random.default_rng(0)
        self._turn = threading.Lock()
        self.rows: list[int] = []
        self.on_step: Callable[[], object] = lambda: None

    def run_beside(
        self,
        outputs: Sequence[str],
        given: Mapping[str, npt.NDArray[Any]],
        kept: Mapping[str, Shape],
        before: OnStream,
        after: OnStream,
    ) -> list[Float32]:
        with self._turn:
            state = self._random.normal(0, 9, kept[STATE]).astype(np.float32)
            following = np.empty_like(state)
            addresses = {STATE: state.ctypes.data, NEXT_STATE: following.ctypes.data}
            before(HostStream(), addresses)
            self.rows.append(len(state))
            self.on_step()
            *found, following[:] = self._session.run([*outputs, NEXT_STATE], {**given, STATE: state})
            after(HostStream(), addresses)
        return found


@pytest.fixture(autouse=True)
def _memory_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facestream.engines.tensorrt.DeviceMemory", HostMemory)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path))


@pytest.fixture
def graph(bundle: Bundle) -> HostGraph:
    return HostGraph(bundle)


@pytest.fixture
def engine(bundle: Bundle, graph: HostGraph) -> TensorRtEngine:
    return TensorRtEngine("tensorrt", bundle.model, graph)  # type: ignore[arg-type]


def test_streams_that_come_and_go_move_as_they_do_on_the_cpu(bundle: Bundle, engine: TensorRtEngine) -> None:
    here, there = pipeline_with(OnnxEngine(bundle)), pipeline_with(engine)
    seeds = list(range(90))  # more than the table holds at first
    expected, found = (run(pipeline, seeds, np.random.default_rng(4)) for pipeline in (here, there))
    for seed in seeds:
        np.testing.assert_allclose(found[seed], expected[seed], atol=1e-5)
    assert there.open_count == 0
    # the control: streams that were mixed up would be told apart
    assert all(np.abs(found[seed][:15] - found[seed + 1][:15]).max() > 0.01 for seed in seeds[:-1])


def run(pipeline: Pipeline, seeds: list[int], random: np.random.Generator) -> dict[int, Float32]:
    """Weights of a stream for each seed; half of them begin when others have ended, and rows change hands."""
    waiting, open_now, runs = list(seeds), {}, {seed: [] for seed in seeds}  # type: ignore[var-annotated]
    while waiting or open_now:
        while waiting and len(open_now) < 70:
            seed = waiting.pop()
            stream = open_now[seed] = pipeline.open(StreamOptions(seed=seed))
            stream.push(babble(seed, 16000, 0.3 + 0.1 * (seed % 4)))
            stream.finish()
        chosen = random.permutation(list(open_now))[: pipeline.max_rows].tolist()
        for seed, frames in zip(
            chosen, pipeline.advance([open_now[one] for one in chosen], int(random.integers(1, 5))), strict=True
        ):
            assert isinstance(frames, Frames)
            runs[seed].append(frames)
            if open_now[seed].is_done:
                open_now.pop(seed).close()
    return {seed: joined_frames(frames).weights for seed, frames in runs.items()}


def test_a_table_that_grows_beside_a_step_loses_nothing_of_it(
    bundle: Bundle, engine: TensorRtEngine, graph: HostGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(0)
    pcm = [chance.uniform(-0.3, 0.3, (1, 2 * HOP)).astype(np.float32) for _ in range(2)]
    last_row = 500  # far beyond the table
    stepped = threading.Event()

    def state_of(row: int, *, heard: bool) -> dict[str, Float32]:
        return {ROW: np.array([row], np.float32), HEARD: np.array([heard], np.float32)}

    class SlowToGrow(HostStream):
        def move(self, to: int, source: int, size: int) -> None:
            super().move(to, source, size)
            if size > 4 * engine._width:  # the whole table
                stepped.wait(0.2)

    def first_step() -> StepOutput:
        output = engine.step(pcm[0], state_of(1, heard=False))
        stepped.set()
        return output

    monkeypatch.setattr("tests.engines.test_tensorrt_engine.HostStream", SlowToGrow)
    with ThreadPoolExecutor(1) as threads:
        others: list[Future[StepOutput]] = []

        def grow() -> None:
            graph.on_step = lambda: None
            others.append(threads.submit(engine.step, pcm[1], state_of(last_row, heard=False)))
            time.sleep(0.05)  # what does not wait for this step to end has begun to grow by now

        graph.on_step = grow
        first_step()
        others[0].result()
    here = OnnxEngine(bundle)
    known = here.step(pcm[1], here.step(pcm[0], here.model.fresh_state(1)).next_state)
    np.testing.assert_allclose(engine.step(pcm[1], state_of(1, heard=True)).motion, known.motion, atol=1e-5)
    without = here.step(pcm[1], here.model.fresh_state(1))
    assert np.abs(known.motion - without.motion).max() > 1e-3, "what was heard before matters"


def test_steps_are_padded_to_their_bucket(engine: TensorRtEngine, graph: HostGraph) -> None:
    for rows in (1, 2, 3, 5, 33, 64):
        state = {ROW: np.arange(1, rows + 1, dtype=np.float32), HEARD: np.zeros(rows, np.float32)}
        output = engine.step(np.zeros((rows, 2 * HOP), np.float32), state)
        assert output.motion.shape == (rows, 2, 54)
        assert output.next_state[HEARD].tolist() == [1.0] * rows
    assert graph.rows == [1, 2, 4, 8, 64, 64]


def test_warm_up_gives_every_step_the_cost_of_its_bucket(engine: TensorRtEngine) -> None:
    costs = engine.warm_up()
    assert list(costs) == list(BUCKETS)
    assert engine.cost_s(33) == engine.cost_s(64) == costs[64]
    assert engine.cost_s(1) == costs[1]


@pytest.mark.parametrize("rows", [[0.0, 1.0], [5.0, 5.0]])
def test_rows_without_a_number_of_their_own_are_refused(engine: TensorRtEngine, rows: list[float]) -> None:
    with pytest.raises(EngineError, match="numbers of their own"):
        engine.step(np.zeros((2, HOP), np.float32), {ROW: np.array(rows), HEARD: np.zeros(2)})


def test_a_step_that_is_too_long_is_refused(engine: TensorRtEngine) -> None:
    with pytest.raises(EngineError, match=f"takes {MOST_HOPS} at most"):
        engine.step(np.zeros((1, HOP * (MOST_HOPS + 1)), np.float32), {ROW: np.ones(1), HEARD: np.zeros(1)})
