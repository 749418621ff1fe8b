import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facestream.curves import CURVE_COUNT, INDEX, OPPOSED_PAIRS
from facestream.polish.limits import ROUNDING_LIMIT, limit
from facestream.types import Float32

_ANY_WEIGHTS = hnp.arrays(np.float32, (3, CURVE_COUNT), elements=st.floats(-1, 3, width=32))


@given(_ANY_WEIGHTS)
def test_what_leaves_is_what_a_rig_can_show(weights: Float32) -> None:
    limit(weights)
    assert (weights >= 0).all()
    assert (weights <= 1).all()
    assert (weights[:, INDEX["mouthClose"]] <= weights[:, INDEX["jawOpen"]]).all()
    for first, second in OPPOSED_PAIRS:
        assert (np.minimum(weights[:, INDEX[first]], weights[:, INDEX[second]]) == 0).all()
    assert (weights[:, INDEX["mouthFunnel"]] + weights[:, INDEX["mouthPucker"]] <= ROUNDING_LIMIT + 1e-6).all()


@given(_ANY_WEIGHTS)
def test_a_second_time_changes_nothing(weights: Float32) -> None:
    limit(weights)
    again = weights.copy()
    limit(again)
    np.testing.assert_array_equal(again, weights)


def test_a_plausible_face_passes_untouched() -> None:
    weights = np.zeros((1, CURVE_COUNT), np.float32)
    for name, value in {
        "jawOpen": 0.4,
        "mouthClose": 0.1,
        "mouthFunnel": 0.5,
        "mouthPucker": 0.3,
        "mouthLeft": 0.1,
    }.items():
        weights[0, INDEX[name]] = value
    before = weights.copy()
    limit(weights)
    np.testing.assert_array_equal(weights, before)
