import numpy as np
import pytest

from facestream.engines.synthetic import Faults, SyntheticEngine
from facestream.errors import EngineError


def test_the_jaw_follows_the_loudness_and_silence_is_silence() -> None:
    engine = SyntheticEngine()
    pcm = np.zeros((2, 320 * 3), np.float32)
    pcm[1] = 0.2
    output = engine.step(pcm, engine.model.fresh_state(2))
    assert (output.motion[0] == 0).all()
    assert output.phone[0, :, 0].tolist() == [1, 1, 1]
    assert (output.motion[1, :, 50] > 0.2).all()
    assert output.phone[1, :, 0].tolist() == [0, 0, 0]


def test_a_step_takes_the_time_that_was_chosen() -> None:
    slept: list[float] = []
    engine = SyntheticEngine(step_s=0.010, row_s=0.001, sleep=slept.append)
    engine.step(np.zeros((5, 320), np.float32), engine.model.fresh_state(5))
    assert slept == [pytest.approx(0.015)]
    assert engine.cost_s(5) == 0.0
    engine.warm_up()
    assert engine.cost_s(5) == pytest.approx(0.015)
    assert engine.cost_s(128) == pytest.approx(0.148, rel=0.02)


def test_chosen_faults_happen_where_they_were_chosen() -> None:
    engine = SyntheticEngine(faults=Faults(failing_steps={1}, poison_level=0.9))
    pcm = np.zeros((3, 320), np.float32)
    pcm[1, 17] = -0.95
    state = engine.model.fresh_state(3)
    assert engine.step(pcm, state).failed_rows() == [1]
    with pytest.raises(EngineError, match="step 1"):
        engine.step(pcm, state)
    assert engine.step(np.zeros_like(pcm), state).failed_rows() == []
