"""What is asked while the engine is busy: one step, with the same result for everybody."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from facestream.engines.base import BatchState, StepOutput
from facestream.engines.synthetic import Faults, SyntheticEngine
from facestream.errors import EngineError
from facestream.serving.joined_steps import JoinedSteps
from facestream.types import Float32

HOP = 320


class HeldEngine(SyntheticEngine):
    """Notes the rows and the samples of its steps; none ends before the gate is open."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gate = threading.Event()
        self.shapes: list[tuple[int, int]] = []

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        self.shapes.append((pcm.shape[0], pcm.shape[1]))
        self.gate.wait(20)
        return super().step(pcm, state)


Batch = tuple[Sequence[int], Float32]
"""Rows and their samples."""


def asked_in_turn(
    steps: JoinedSteps, engine: HeldEngine, batches: Sequence[Batch], threads: ThreadPoolExecutor
) -> list["Future[StepOutput]"]:
    """Ask for the batches one after the other: each once those before it are in a step, or wait for one."""
    futures = []
    for number, (rows, pcm) in enumerate(batches):
        for row in rows:
            steps.begin(row)
        futures.append(threads.submit(steps.step, np.array(rows, np.intp), pcm))
        while len(engine.shapes) + len(steps._waiting) <= number:
            time.sleep(0.001)
    return futures


def noise(rows: int, samples: int, seed: int) -> Float32:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (rows, samples)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_those_who_wait_share_a_step_as_far_as_there_is_room(seed: int) -> None:
    chance = np.random.default_rng(seed)
    sizes = [int(chance.integers(1, 6)) for _ in range(8)]
    lengths = [HOP, *(int(hops) * HOP for hops in chance.integers(1, 3, 7))]
    ends = np.cumsum(sizes)
    batches = [
        (range(end - size, end), noise(size, length, seed=int(end)))
        for size, length, end in zip(sizes, lengths, ends, strict=True)
    ]
    engine = HeldEngine(max_rows=10)
    steps = JoinedSteps(engine, at_once=1)
    with ThreadPoolExecutor(len(batches)) as threads:
        futures = asked_in_turn(steps, engine, batches, threads)
        engine.gate.set()
        outputs = [future.result() for future in futures]
    for (rows, pcm), output in zip(batches, outputs, strict=True):
        alone = SyntheticEngine().step(pcm, {"state_level": np.zeros((len(rows), 1), np.float32)})
        np.testing.assert_array_equal(output.motion, alone.motion)
        np.testing.assert_array_equal(output.phone, alone.phone)
    assert engine.shapes[0] == batches[0][1].shape, "nobody waits for company"
    assert max(rows for rows, _ in engine.shapes) <= 10
    for length in set(lengths):
        asked = sum(size for size, one in zip(sizes[1:], lengths[1:], strict=True) if one == length)
        taken = [rows for rows, one in engine.shapes[1:] if one == length]
        assert sum(taken) == asked
        # what did not fit into a step begins the next one
        assert all(one + other > 10 for one, other in pairwise(taken))
    assert len(engine.shapes) < len(batches)


def test_state_goes_on_from_step_to_step_and_a_row_can_begin_anew() -> None:
    engine = HeldEngine()
    engine.gate.set()
    steps = JoinedSteps(engine)
    row, loud, silent = np.array([3], np.intp), noise(1, HOP, 0), np.zeros((1, HOP), np.float32)
    steps.begin(3)
    steps.step(row, loud)
    follows = steps.step(row, silent)
    steps.begin(3)
    begins = steps.step(row, silent)
    assert follows.motion.any()
    assert not begins.motion.any()


def test_a_step_that_fails_is_told_to_all_who_were_in_it_and_to_nobody_else() -> None:
    engine = HeldEngine(faults=Faults(failing_steps={1}))
    steps = JoinedSteps(engine, at_once=1)
    batches = [([0], noise(1, HOP, 0)), ([1], noise(1, HOP, 1)), ([2], noise(1, HOP, 2)), ([3], noise(1, 2 * HOP, 3))]
    with ThreadPoolExecutor(4) as threads:
        first, second, third, longer = asked_in_turn(steps, engine, batches, threads)
        engine.gate.set()
        assert first.result().motion.any()
        for future in (second, third):
            with pytest.raises(EngineError, match="synthetic failure at step 1"):
                future.result()
        assert longer.result().motion.any()
    assert steps.step(np.array([1], np.intp), noise(1, HOP, 1)).motion.any()


def test_two_steps_may_be_under_way_and_no_third() -> None:
    engine = HeldEngine()
    steps = JoinedSteps(engine, at_once=2)
    with ThreadPoolExecutor(3) as threads:
        futures = asked_in_turn(steps, engine, [([row], noise(1, HOP, row)) for row in range(3)], threads)
        assert len(engine.shapes) == 2
        assert len(steps._waiting) == 1
        engine.gate.set()
        assert all(future.result().motion.any() for future in futures)
    assert engine.shapes == [(1, HOP)] * 3


def test_whoever_was_taken_along_waits_for_that_step_and_no_other() -> None:
    engine = HeldEngine()
    gates = [threading.Event() for _ in range(3)]
    numbers = iter(range(3))
    engine.gate.wait = lambda timeout=None: gates[next(numbers)].wait(timeout)  # type: ignore[method-assign]
    steps = JoinedSteps(engine, at_once=2)
    with ThreadPoolExecutor(4) as threads:
        futures = asked_in_turn(steps, engine, [([row], noise(1, HOP, row)) for row in range(4)], threads)
        gates[0].set()
        while len(engine.shapes) < 3:  # the third takes the fourth along
            time.sleep(0.001)
        gates[1].set()
        futures[1].result()  # which frees a place, of no use to the fourth
        assert not futures[3].done()
        gates[2].set()
        assert all(future.result().motion.any() for future in futures)
    assert engine.shapes == [(1, HOP), (1, HOP), (2, HOP)]
