import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream_models.deeptalk.code_choice import BOTTOM, TOP, chosen_codes, gumbel_noise, straight_through

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])
DRAWS = 4_000


def shares(codes):
    return torch.bincount(codes.flatten(), minlength=4) / codes.numel()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_follow_the_softmax_at_their_temperature(temperature):
    noise = temperature * torch.from_numpy(gumbel_noise(TOP, 7, 0, DRAWS, 4))
    found = shares(chosen_codes(LOGITS.expand(1, DRAWS, 4), noise[None]))
    torch.testing.assert_close(found, torch.softmax(LOGITS / temperature, dim=0), atol=0.03, rtol=0)
    other = torch.softmax(LOGITS / (2 * temperature), dim=0)
    assert (found - other).abs().max() > 0.05, "another temperature would show"


def test_no_noise_is_argmax():
    logits = torch.randn(2, 9, 32)
    assert torch.equal(chosen_codes(logits, torch.zeros_like(logits)), logits.argmax(dim=2))


@given(first=st.integers(0, 2**40), skip=st.integers(0, 20), seed=st.integers(0, 2**64 - 1))
def test_windows_that_overlap_draw_the_same_noise(first, skip, seed):
    early, late = gumbel_noise(TOP, seed, first, 24, 8), gumbel_noise(TOP, seed, first + skip, 24, 8)
    np.testing.assert_array_equal(early[skip:], late[: 24 - skip])
    assert np.isfinite(early).all()


def test_levels_seeds_and_places_draw_apart():
    base = gumbel_noise(TOP, 1, 0, 400, 8).ravel()
    for other in (
        gumbel_noise(BOTTOM, 1, 0, 400, 8),
        gumbel_noise(TOP, 2, 0, 400, 8),
        gumbel_noise(TOP, 1, 400, 400, 8),
    ):
        assert abs(np.corrcoef(base, other.ravel())[0, 1]) < 0.07
    with pytest.raises(InvalidValue, match="seed: got -1"):
        gumbel_noise(TOP, -1, 0, 4)


def test_training_samples_are_one_hot_and_pass_the_soft_gradient():
    random = torch.Generator().manual_seed(0)
    logits = LOGITS.expand(1, DRAWS, 4).clone().requires_grad_()
    weights = straight_through(logits, 0.7, random)
    assert torch.allclose(weights.sort(dim=2).values, torch.tensor([0.0, 0.0, 0.0, 1.0]), atol=1e-6)
    found = shares(weights.argmax(dim=2))
    torch.testing.assert_close(found, torch.softmax(LOGITS, dim=0), atol=0.03, rtol=0)
    (weights[..., 0].sum()).backward()
    assert float(logits.grad[..., 0].sum()) > 0 > float(logits.grad[..., 1].sum())
