import numpy as np
import pytest
import torch

from facestream.motion.diffposetalk.schedule import cosine_schedule
from tests.diffposetalk.released import Schedule

COSINE = cosine_schedule()


def test_check_values_of_the_released_schedule():
    assert COSINE.steps == 500
    assert COSINE.beta[0] == 0.0
    assert COSINE.beta[1] == pytest.approx(1e-4)
    assert COSINE.beta[500] == pytest.approx(0.999)
    assert COSINE.kept[0] == 1.0
    assert COSINE.kept[250] == pytest.approx(0.49384, abs=5e-6)
    assert COSINE.kept[499] == pytest.approx(9.714e-6, rel=1e-3)
    assert COSINE.kept[500] == pytest.approx(9.714e-9, rel=1e-3)


def test_one_beta_is_clipped_at_each_end():
    assert np.flatnonzero(np.isclose(COSINE.beta, 1e-4, rtol=1e-9)).tolist() == [1]
    assert np.flatnonzero(np.isclose(COSINE.beta, 0.999, rtol=1e-9)).tolist() == [500]


def test_it_is_the_formula():
    stored = Schedule().state_dict()
    torch.testing.assert_close(torch.tensor(COSINE.beta).float(), stored["betas"])
    torch.testing.assert_close(torch.tensor(COSINE.kept).float(), stored["alpha_bars"], rtol=1e-5, atol=0.0)
