import numpy as np

from facestream.curves import CURVE_COUNT, INDEX
from facestream.polish.seal import seal_lips
from facestream.types import Float32

JAW, CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]


def half_closed(rows: int) -> Float32:
    """What a network shows that is not quite sure of its /b/."""
    weights = np.zeros((rows, CURVE_COUNT), np.float32)
    weights[:, [JAW, CLOSE]] = 0.2, 0.1
    weights[:, [INDEX["mouthLowerDownLeft"], INDEX["mouthFunnel"], INDEX["mouthPucker"]]] = 0.15, 0.2, 0.1
    return weights


def test_lips_shut_on_what_is_heard_as_p_b_or_m() -> None:
    weights = half_closed(3)
    seal_lips(weights, np.array([0.1, 0.4, 0.9], np.float32))
    np.testing.assert_array_equal(weights[0], half_closed(1)[0])  # the control: anything else stays as it was
    gap = weights[:, JAW] - weights[:, CLOSE]
    assert gap[0] > gap[1] > gap[2] == 0
    assert weights[2, INDEX["mouthLowerDownLeft"]] == 0
    assert weights[2, JAW] == np.float32(0.2)


def test_rounded_lips_stay_rounded() -> None:
    weights = half_closed(1)
    seal_lips(weights, np.ones(1, np.float32))
    assert weights[0, INDEX["mouthFunnel"]] == 0
    np.testing.assert_allclose(weights[0, INDEX["mouthPucker"]], 0.3, atol=1e-6)


def test_lips_shut_beyond_the_jaw_are_not_opened() -> None:
    weights = half_closed(1)
    weights[0, CLOSE] = 0.3
    seal_lips(weights, np.ones(1, np.float32))
    assert weights[0, CLOSE] == np.float32(0.3)
