import pytest
import torch

from facestream.errors import InvalidValue
from facestream_models.deeptalk.codebook import Codebook
from facestream_models.deeptalk.motion_prior import MotionPrior
from tests.deeptalk.small import SMALL


def test_the_nearest_code_is_found_and_gradients_pass_through():
    torch.manual_seed(0)
    book = Codebook(16, 4, 0.9).eval()
    x = torch.randn(3, 5, 4, requires_grad=True)
    found = book(x)
    distances = torch.cdist(x.detach().reshape(-1, 4), book.vectors)
    assert torch.equal(found.codes, distances.argmin(dim=1).reshape(3, 5))
    torch.testing.assert_close(found.vectors, book.vectors[found.codes])
    found.vectors.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))
    one_hot = torch.nn.functional.one_hot(found.codes, 16).float()
    torch.testing.assert_close(book.mix(one_hot), found.vectors)


def test_codes_move_to_the_means_of_what_they_stand_for_in_training_only():
    torch.manual_seed(1)
    book = Codebook(2, 2, 0.8)
    book.vectors.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    book.mean_sums.copy_(book.vectors)
    centres = torch.tensor([[2.0, 1.0], [-3.0, 0.5]])
    start = book.vectors.clone()
    book.eval()(centres[None])
    assert torch.equal(book.vectors, start)
    book.train()
    for _ in range(200):
        book(centres[torch.randint(2, (1, 64))] + 0.01 * torch.randn(1, 64, 2))
    torch.testing.assert_close(book.vectors, centres, atol=0.02, rtol=0)


def test_smoothing_counts_vectors_so_a_batch_of_many_keeps_the_size_of_codes():
    """The released form counts clips; a code then shrinks or grows with the number of vectors in a clip."""
    book = Codebook(4, 2, 0.5).train()
    x = book.vectors.clone()[torch.tensor([0, 1, 2, 3] * 50)][None]
    before = book.vectors.clone()
    book(x)
    torch.testing.assert_close(book.vectors, before, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("revival", "in_use"), [(0.0, 1), (0.2, 12)])
def test_codes_that_nothing_finds_move_to_where_vectors_are(revival: float, in_use: int) -> None:
    torch.manual_seed(2)
    book = Codebook(16, 3, 0.9, revival).train()
    x = 9.0 + torch.randn(1, 256, 3)  # far from where codes begin
    for _ in range(100):
        book(x)
    used = len(torch.unique(book.eval()(x).codes))
    assert used >= in_use if revival else used <= 4


def test_perplexity_counts_codes_in_use():
    book = Codebook(8, 2, 0.9)
    assert float(book.perplexity(torch.tensor([[3, 3, 3, 3]]))) == pytest.approx(1, abs=1e-4)
    assert float(book.perplexity(torch.arange(8)[None])) == pytest.approx(8, abs=1e-3)


def test_the_prior_wants_whole_codes():
    prior = MotionPrior(SMALL.prior).eval()
    with torch.no_grad():
        assert prior(torch.zeros(2, 12, 53)).motion.shape == (2, 12, 53)
    for frames in (0, 10):
        with pytest.raises(InvalidValue, match="a multiple of 4"):
            prior(torch.zeros(1, frames, 53))


def test_the_prior_learns():
    torch.manual_seed(2)
    prior = MotionPrior(SMALL.prior).train()
    motion = torch.randn(8, 1, 53) * torch.sin(torch.arange(16.0) / 3)[None, :, None]
    optimiser = torch.optim.Adam(prior.parameters(), 3e-3)
    errors = []
    for _ in range(40):
        found = prior(motion)
        error = (found.motion - motion).square().mean()
        optimiser.zero_grad()
        (error + found.commitment).backward()
        optimiser.step()
        errors.append(float(error.detach()))
    assert min(errors[-5:]) < 0.6 * errors[0]


def test_slips_give_near_codes_in_training_and_move_no_code():
    torch.manual_seed(3)
    sure, slipping = Codebook(64, 4, 0.9), Codebook(64, 4, 0.9, slips=0.5)
    slipping.load_state_dict(sure.state_dict())
    x = torch.randn(8, 50, 4)
    right, slipped = sure(x), slipping(x)
    assert torch.equal(sure.vectors, slipping.vectors)
    assert torch.equal(right.codes, slipped.codes)
    assert torch.equal(right.commitment, slipped.commitment)
    changed = (right.vectors - slipped.vectors).abs().amax(dim=2) > 1e-6
    assert 0.3 < float(changed.float().mean()) < 0.6
    far = (slipping.vectors[torch.randint(64, x.shape[:2])] - x).square().sum(dim=2).mean()
    assert float((slipped.vectors - x).square().sum(dim=2).mean()) < 0.6 * float(far)
    assert torch.equal(slipping.eval()(x).vectors, sure.eval()(x).vectors)


def test_codes_that_would_do_nearly_as_well_are_nearly_as_right():
    torch.manual_seed(4)
    book = Codebook(32, 4, 0.9).eval()
    x = torch.randn(3, 20, 4)
    hard, soft, softer = (book.likeness(x, softness) for softness in (0.0, 0.3, 3.0))
    nearest = book(x).codes
    assert torch.equal(hard, torch.nn.functional.one_hot(nearest, 32).float())
    for shares in (soft, softer):
        torch.testing.assert_close(shares.sum(dim=2), torch.ones(3, 20))
        assert torch.equal(shares.argmax(dim=2), nearest)
        distances = torch.cdist(x.reshape(-1, 4), book.vectors).reshape(3, 20, 32)
        assert torch.equal(shares.argsort(dim=2, descending=True)[..., :4], distances.argsort(dim=2)[..., :4])
    assert float(softer.amax(dim=2).mean()) < float(soft.amax(dim=2).mean()) < 1.0
