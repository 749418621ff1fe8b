"""How far two Gaussians of emotion are from each other, and the losses that follow (PCME++, arXiv 2305.18171).

The distance is the expected squared one between a sample of each, which has a closed form: squared distance of the
means plus both variances. `logit = -scale * distance + shift` says whether the two belong together (section 1.3 of
the specification).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream_models.deeptalk.emotion_embedding import EmotionGaussian

MATCH_WEIGHT = 2.0
KL_WEIGHT = 1e-6
_KL_LIMIT = 1e4
"""A divergence beyond it is left out of the loss: exp of a stray log-variance would drown everything else."""


def sampled_distance(speech: EmotionGaussian, expression: EmotionGaussian) -> Tensor:
    """Closed-form sampled distance of each speech row to each expression row, [B speech, B expression]."""
    lengths = speech.mean.square().sum(dim=1)[:, None] + expression.mean.square().sum(dim=1)[None]
    means = lengths - 2 * speech.mean @ expression.mean.T
    return means + _variance(speech)[:, None] + _variance(expression)[None]


def match_loss(distance: Tensor, match: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Mean cross-entropy of the grid `distance` [A, B] against `match` [A, B], 1 where the two belong together."""
    return F.binary_cross_entropy_with_logits(shift - scale * distance, match.to(distance))


def retrieval_loss(distance: Tensor, match: Tensor, scale: Tensor) -> Tensor:
    """How unlikely it is that speech finds a face of its own, and a face speech, among those of `distance` [A, B].

    Each row, and each column, is a choice by the softmax of `-scale * distance`; whatever `match` [A, B] marks is
    right, and there must be one in each. Unlike the grid of `match_loss` it learns from the first step, when all
    distances are alike.
    """
    logits = -scale * distance
    right = logits.masked_fill(match == 0, -torch.inf)
    lost = [torch.logsumexp(logits, dim=side) - torch.logsumexp(right, dim=side) for side in (0, 1)]
    return 0.5 * (lost[0].mean() + lost[1].mean())


def divergence(gaussian: EmotionGaussian) -> Tensor:
    """Mean divergence from the standard normal; 0 where it is beyond all reason."""
    mean, log_variance = gaussian
    value = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
    return torch.zeros_like(value) if value > _KL_LIMIT else value


def embedding_loss(speech: EmotionGaussian, expression: EmotionGaussian, match: Tensor, scale: Tensor,
                   shift: Tensor) -> Tensor:  # fmt: skip
    """The loss of stage 1. `match` is the identity, or 1 wherever the emotion labels agree."""
    matched = match_loss(sampled_distance(speech, expression), match, scale, shift)
    return MATCH_WEIGHT * matched + KL_WEIGHT * (divergence(speech) + divergence(expression))


def meeting_terms(speech: EmotionGaussian, face: EmotionGaussian, emotion: Tensor, scale: Tensor, shift: Tensor,
                  retrieval: float) -> dict[str, Tensor]:  # fmt: skip
    """What is lost, by name, where speech and face [B] meet in one space: those of one `emotion` [B] belong together.

    `retrieval` weighs `retrieval_loss` beside the loss of stage 1; 0 leaves it out.
    """
    match = (emotion[:, None] == emotion[None]).float()
    terms = {"embedding": embedding_loss(speech, face, match, scale, shift)}
    if retrieval:
        terms["retrieval"] = retrieval * retrieval_loss(sampled_distance(speech, face), match, scale)
    return terms


def consistency_loss(speech: EmotionGaussian, expression: EmotionGaussian, scale: Tensor, shift: Tensor) -> Tensor:
    """How little the motion's emotion agrees with the speech's, row by row, mean over the batch (section 1.5)."""
    means = (speech.mean - expression.mean).square().sum(dim=1)
    return F.softplus(scale * (means + _variance(speech) + _variance(expression)) - shift).mean()


def retrieval_similarity(speech: EmotionGaussian, expression: EmotionGaussian) -> Tensor:
    """Similarity [A, B] by which expressions are ranked for speech, and speech for expressions; 0 at most."""
    return -(2 - 2 * speech.mean @ expression.mean.T + _variance(speech)[:, None] + _variance(expression)[None])


def _variance(gaussian: EmotionGaussian) -> Tensor:
    """Sum of a row's variances, [B]."""
    return gaussian.log_variance.exp().sum(dim=1)
