import pytest
import torch

from facestream.errors import InvalidValue
from facestream_models.deeptalk.emotion_distance import (
    consistency_loss,
    divergence,
    embedding_loss,
    match_loss,
    meeting_terms,
    retrieval_loss,
    retrieval_similarity,
    sampled_distance,
)
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian, SequenceEmbedding, SequenceShape
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.pooling import RankPooling
from tests.deeptalk.golden import motion


def gaussians(rows=4, width=6):
    means = torch.nn.functional.normalize(torch.randn(rows, width))
    return EmotionGaussian(means, torch.randn(rows, width) - 2)


def test_the_distance_is_the_expected_one_between_samples():
    torch.manual_seed(0)
    speech, expression = gaussians(2), gaussians(3)

    def draws(gaussian):
        return gaussian.mean + torch.randn(60_000, *gaussian.mean.shape) * torch.exp(0.5 * gaussian.log_variance)

    measured = (draws(speech)[:, :, None] - draws(expression)[:, None]).square().sum(dim=3).mean(dim=0)
    torch.testing.assert_close(sampled_distance(speech, expression), measured, atol=0.03, rtol=0.01)


def test_similarity_is_the_distance_for_unit_means():
    speech, expression = gaussians(), gaussians()
    torch.testing.assert_close(retrieval_similarity(speech, expression), -sampled_distance(speech, expression))


def test_consistency_is_the_diagonal_of_the_matches():
    speech, expression = gaussians(), gaussians()
    scale, shift = torch.tensor([5.0]), torch.tensor([5.0])
    diagonal = sampled_distance(speech, expression).diag()[:, None]
    expected = match_loss(diagonal, torch.ones_like(diagonal), scale, shift)
    torch.testing.assert_close(consistency_loss(speech, expression, scale, shift), expected)


def test_retrieval_is_chance_for_equal_distances_and_gone_for_clear_ones():
    match = torch.eye(8).repeat(2, 2)
    scale = torch.tensor([5.0])
    chance = retrieval_loss(torch.ones(16, 16), match, scale)
    torch.testing.assert_close(chance, torch.tensor(8.0).log())
    assert float(retrieval_loss(4.0 * (1 - match), match, scale)) < 1e-6
    # one pair of each emotion: the choice is plain cross-entropy, there and back
    distance = torch.rand(8, 8)
    logits, right = -5.0 * distance, torch.arange(8)
    both = torch.nn.functional.cross_entropy(logits, right) + torch.nn.functional.cross_entropy(logits.T, right)
    torch.testing.assert_close(retrieval_loss(distance, torch.eye(8), scale), both / 2)


def test_those_of_one_emotion_belong_together():
    speech, face, scale, shift = gaussians(), gaussians(), torch.tensor([5.0]), torch.tensor([4.0])
    match = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    emotion = torch.tensor([3, 0, 5, 3])
    terms = meeting_terms(speech, face, emotion, scale, shift, retrieval=0.5)
    torch.testing.assert_close(terms["embedding"], embedding_loss(speech, face, match, scale, shift))
    found = retrieval_loss(sampled_distance(speech, face), match, scale)
    torch.testing.assert_close(terms["retrieval"], 0.5 * found)
    assert list(meeting_terms(speech, face, emotion, scale, shift, retrieval=0.0)) == ["embedding"]


def test_divergence_is_torchs_and_leaves_out_what_explodes():
    gaussian = gaussians()
    learned = torch.distributions.Normal(gaussian.mean, torch.exp(0.5 * gaussian.log_variance))
    expected = torch.distributions.kl_divergence(learned, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(divergence(gaussian), expected)
    assert divergence(EmotionGaussian(gaussian.mean, torch.full((4, 6), 80.0))) == 0


def test_spread_scales_the_deviation_of_samples():
    gaussian, noise = gaussians(), torch.randn(4, 6)
    torch.testing.assert_close(gaussian.sample(noise, 0.0), gaussian.mean)
    near, far = gaussian.sample(noise, 0.5), gaussian.sample(noise, 2.0)
    assert torch.all((near * gaussian.mean).sum(dim=1) > (far * gaussian.mean).sum(dim=1))
    torch.testing.assert_close(far.norm(dim=1), torch.ones(4))
    with pytest.raises(InvalidValue, match=r"emotion_spread: got -0\.1"):
        gaussian.sample(noise, -0.1)


def test_pooling_forgets_order_and_weighs_ranks():
    pooling = RankPooling().eval()
    x = torch.randn(2, 9, 5)
    with torch.no_grad():
        pooled = pooling(x)
        torch.testing.assert_close(pooling(x[:, torch.randperm(9)]), pooled)
        weights = pooling.weights(9)
        assert float(weights.sum()) == pytest.approx(1)
        expected = (weights[None, :, None] * x.sort(dim=1, descending=True).values).sum(dim=1)
    torch.testing.assert_close(pooled, expected)


def test_features_take_the_trained_path_when_asked():
    torch.manual_seed(0)
    released, trained = FrameEmotion(), FrameEmotion(FrameEmotionShape(normalised_features=True))
    for network in (released, trained):
        with torch.no_grad():
            for norm in network.norms:
                norm.running_var.fill_(4.0)
    trained.load_state_dict(released.state_dict())
    hidden = {}
    trained.linears[5].register_forward_hook(lambda _module, _inputs, output: hidden.update(value=output))
    with torch.no_grad():
        trained.eval()(motion()[0])
        torch.testing.assert_close(trained.features(motion()[0]), hidden["value"])
        assert not torch.allclose(released.eval().features(motion()[0]), hidden["value"])


def test_a_side_that_does_not_cut_refuses_what_is_too_long():
    side = SequenceEmbedding(SequenceShape(width=16, layers=1, longest=20, enters=4, hidden=16)).eval()
    with torch.no_grad():
        found = side(torch.randn(2, 20, 4))
        assert torch.equal(side.mean(torch.zeros(1, 5, 4)), side(torch.zeros(1, 5, 4)).mean)
    torch.testing.assert_close(found.mean.norm(dim=1), torch.ones(2))
    with pytest.raises(InvalidValue, match="frames: got 21; allowed: at most 20"):
        side(torch.randn(2, 21, 4))
