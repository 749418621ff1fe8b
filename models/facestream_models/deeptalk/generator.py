"""The generator: speech content, an emotion and a speaker in; logits of top codes, then of bottom codes, out.

    content (25 Hz, 768) -> linear 128 ┐
    emotion 128, speaker one-hot 32 ---┴-> style, repeated -> one layer -> linear: face features (25 Hz, 128)
    4 face features stacked -> top predictor (6.25 Hz) -> top codes -> decoder of the motion prior (12.5 Hz)
    2 face features stacked, decoded top codes -> bottom predictor (12.5 Hz) -> bottom codes -> motion

Everything is parallel in time but for the step from top to bottom (specification, sections 1.5 and 2.8).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.deeptalk.code_choice import chosen_codes, straight_through
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.encoders.speech_attention import PostNormLayer, distance_bias

_TOP_STACK, _BOTTOM_STACK = 4, 2


@dataclass(frozen=True)
class GeneratorShape:
    """Sizes; the defaults are the paper's. `content` is the width of the content encoder, `period` is in frames.

    `predictor_dropout` is that of the predictors, which have none in the released model.
    """

    content: int = 768
    emotion: int = 128
    actors: int = 32
    width: int = 128
    heads: int = 8
    hidden: int = 256
    period: int = 25
    predictor_width: int = 256
    predictor_layers: int = 6
    codes: int = 256
    dropout: float = 0.1
    predictor_dropout: float = 0.0


class Generated(NamedTuple):
    """`motion` [B, F, 53] and the raw logits it was chosen by: `top` [B, F / 4, codes], `bottom` [B, F / 2, codes]."""

    motion: Tensor
    top: Tensor
    bottom: Tensor


class CodePredictor(nn.Module):
    """Features [B, K, source] -> logits [B, K, codes]; near steps count more, none is hidden."""

    def __init__(self, source: int, shape: GeneratorShape) -> None:
        super().__init__()
        width = shape.predictor_width
        self.enter = nn.Linear(source, width)
        self.layers = nn.ModuleList(
            PostNormLayer(width, shape.heads, shape.hidden, "gelu", shape.predictor_dropout)
            for _ in range(shape.predictor_layers)
        )
        self.leave = nn.Linear(width, shape.codes)
        self.heads = shape.heads

    def forward(self, features: Tensor) -> Tensor:
        x = self.enter(features)
        bias = distance_bias(x.shape[1], self.heads, x)
        for layer in self.layers:
            x = layer(x, bias)
        logits: Tensor = self.leave(x)
        return logits


class Generator(nn.Module):
    """See the module text. The motion prior is not a part of it: it is passed in, and stays frozen in training."""

    def __init__(self, shape: GeneratorShape | None = None, prior: MotionPriorShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or GeneratorShape()
        prior = prior or MotionPriorShape()
        width = shape.width
        self.content = nn.Linear(shape.content, width)
        self.emotion = nn.Linear(shape.emotion, width)
        self.style = nn.Linear(width + shape.actors, width)
        self.face_layer = PostNormLayer(2 * width, shape.heads, shape.hidden, "gelu", shape.dropout)
        self.face = nn.Linear(2 * width, width)
        self.top = CodePredictor(_TOP_STACK * width, shape)
        self.bottom = CodePredictor(_BOTTOM_STACK * width + prior.width, shape)

    def forward(self, content: Tensor, emotion: Tensor, actor: Tensor, prior: MotionPrior,
                top_noise: Tensor, bottom_noise: Tensor) -> Generated:  # fmt: skip
        """Use: codes by argmax of logits plus noise (`code_choice`).

        `content` [B, F, 768] with F a multiple of 4, `emotion` [B, 128], `actor` [B, 32] one-hot, noises as the logits.
        """
        return self.speak(self.content(content), emotion, actor, prior, top_noise, bottom_noise)

    def speak(self, said: Tensor, emotion: Tensor, actor: Tensor, prior: MotionPrior,
              top_noise: Tensor, bottom_noise: Tensor) -> Generated:  # fmt: skip
        """As `forward`, from what the first layer makes of the content, `said` [B, F, width]."""

        def choose(logits: Tensor, noise: Tensor) -> Tensor:
            return F.one_hot(chosen_codes(logits, noise), logits.shape[2]).to(logits)

        return self._generate(
            self._face_features(said, emotion, actor),
            prior,
            lambda logits: choose(logits, top_noise),
            lambda logits: choose(logits, bottom_noise),
        )

    def train_step(self, face: Tensor, prior: MotionPrior, temperature: float,
                   random: torch.Generator | None = None) -> Generated:  # fmt: skip
        """Training: codes for the `face_features` by straight-through samples at `temperature`; gradients reach both
        predictors.
        """

        def choose(logits: Tensor) -> Tensor:
            return straight_through(logits, temperature, random)

        return self._generate(face, prior, choose, choose)

    def known_bottom(self, face: Tensor, prior: MotionPrior, top_codes: Tensor) -> Tensor:
        """Training: logits of the bottom codes that go with known `top_codes` [B, F / 4]."""
        return self._bottom_logits(face, prior, prior.top_codebook.vectors[top_codes])

    def face_features(self, content: Tensor, emotion: Tensor, actor: Tensor) -> Tensor:
        """What is said, felt and by whom, in one: [B, F, 128]."""
        return self._face_features(self.content(content), emotion, actor)

    def _face_features(self, said: Tensor, emotion: Tensor, actor: Tensor) -> Tensor:
        style = self.style(torch.cat([self.emotion(emotion), actor], dim=1))
        both = torch.cat([said, style[:, None].expand_as(said)], dim=2)
        bias = distance_bias(both.shape[1], self.shape.heads, both, period=self.shape.period)
        features: Tensor = self.face(self.face_layer(both, bias))
        return features

    def _generate(self, face: Tensor, prior: MotionPrior, choose_top: Callable[[Tensor], Tensor],
                  choose_bottom: Callable[[Tensor], Tensor]) -> Generated:  # fmt: skip
        top_logits = self.top(_stacked(face, _TOP_STACK))
        top = prior.top_codebook.mix(choose_top(top_logits))
        bottom_logits = self._bottom_logits(face, prior, top)
        bottom = prior.bottom_codebook.mix(choose_bottom(bottom_logits))
        return Generated(prior.decode(top, bottom), top_logits, bottom_logits)

    def _bottom_logits(self, face: Tensor, prior: MotionPrior, top: Tensor) -> Tensor:
        logits: Tensor = self.bottom(torch.cat([_stacked(face, _BOTTOM_STACK), prior.decode_top(top)], dim=2))
        return logits


def _stacked(x: Tensor, count: int) -> Tensor:
    """`count` consecutive frames side by side, the first one first: [B, F, D] -> [B, F / count, count * D]."""
    return x.reshape(x.shape[0], x.shape[1] // count, count * x.shape[2])
