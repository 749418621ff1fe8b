import numpy as np

from facestream.curves import CURVE_COUNT, INDEX
from facestream.polish.rest import DEAD_ZONE, calm_next, hold_shut

FRAME_S = np.array([1 / 30])


def calm_after(silence: list[float], start: float = 0.0) -> float:
    calm = np.array([start], np.float32)
    for probability in silence:
        calm = calm_next(calm, np.array([probability], np.float32), FRAME_S)
    return float(calm[0])


def test_calm_comes_slowly_and_goes_at_once() -> None:
    assert calm_after([1.0] * 2) < 0.4  # the closure of a /p/
    assert calm_after([1.0] * 30) > 0.95
    assert calm_after([0.0] * 2, start=1.0) < 0.05
    assert calm_after([0.5] * 60) == 0


def test_small_openings_are_shut_and_large_ones_are_kept() -> None:
    weights = np.zeros((2, CURVE_COUNT), np.float32)
    jaw, smile = INDEX["jawOpen"], INDEX["mouthSmileLeft"]
    weights[:, jaw] = 0.5 * DEAD_ZONE, 0.6
    weights[:, smile] = 0.5 * DEAD_ZONE
    hold_shut(weights, np.ones(2, np.float32))
    assert weights[0, jaw] == 0
    assert weights[1, jaw] > 0.5
    assert (weights[:, smile] == np.float32(0.5 * DEAD_ZONE)).all()


def test_shut_lips_stay_shut() -> None:
    jaw, close = INDEX["jawOpen"], INDEX["mouthClose"]
    weights = np.zeros((5, CURVE_COUNT), np.float32)
    weights[:, jaw] = weights[:, close] = np.linspace(0, 0.4, 5)
    for calm in (0.3, 1.0):
        held = weights.copy()
        hold_shut(held, np.full(5, calm, np.float32))
        np.testing.assert_allclose(held[:, jaw], held[:, close], atol=1e-7)
