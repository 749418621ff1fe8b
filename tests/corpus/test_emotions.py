import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream_models.corpus.emotions import EMOTIONS, INTENSITIES, MIXED_SHARE, NEUTRAL, Act, course, draw_act


def test_three_intensities_and_a_share_of_mixtures() -> None:
    random = np.random.default_rng(1)
    acts = [draw_act(1 + number % 7, random) for number in range(3000)]
    assert {act.intensity for act in acts} == set(INTENSITIES)
    mixed = [act for act in acts if act.share > 0]
    assert len(mixed) / len(acts) == pytest.approx(MIXED_SHARE, abs=0.03)
    assert all(act.second not in (act.emotion, NEUTRAL) for act in mixed)
    assert all(draw_act(NEUTRAL, random).share == 0 for _ in range(50))


@given(st.integers(0, 7), st.integers(0, 7), st.floats(0, 1), st.floats(0, 0.49))
def test_the_amounts_of_an_act_sum_to_its_intensity(first: int, second: int, intensity: float, share: float) -> None:
    amounts = Act(first, intensity, second, share).amounts
    assert amounts.sum() == pytest.approx(intensity)
    assert amounts[first] == pytest.approx(amounts.max())


@pytest.mark.parametrize("act", [(8, 1.0), (-1, 1.0), (1, 1.1), (1, -0.1), (1, float("nan"))])
def test_impossible_acts_are_refused(act: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        Act(*act)
    assert EMOTIONS[Act(1, 1.0).emotion] == "happy"


@given(st.integers(0, 1000), st.floats(0.3, 2.0), st.floats(0.5, 5.0))
def test_an_emotion_is_there_while_its_owner_speaks(seed: int, begin: float, length: float) -> None:
    times = np.arange(0.0, begin + length + 3.0, 0.02)
    shown = course(times, [(begin, begin + length)], np.random.default_rng(seed))
    assert shown.min() >= 0.0
    assert shown.max() <= 1.0
    steps = np.abs(np.diff(shown)).max()
    assert steps < 0.02 / 0.3 * np.pi / 2 + 1e-6  # no faster than an onset of 300 ms
    assert shown[-1] < 1e-6
    middle = (times > begin + 0.6) & (times < begin + length - 0.4)
    assert (shown[middle] > 0.7).all()
