"""The dynamic emotion embedding (DEE): speech, or a sequence of expressions, as a Gaussian in one 128-d space.

    speech       waveform -> emotion encoder (50 Hz) -> positions -> 2 layers -> mean head, log-variance head
    expressions  motion -> features of each frame -> linear -> positions -> 6 layers -> the same two heads

A head is one layer, a linear to 128 and pooling by rank over time; means are of unit length. What is said in an
emotion is never certain from its sound, so each side gives a spread as well (specification, sections 1.3 and 2.6).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facestream.errors import InvalidValue
from facestream_models.corpus.emotions import NEUTRAL
from facestream_models.deeptalk.pooling import RankPooling
from facestream_models.encoders.speech_attention import PostNormLayer, sinusoids

_TINY = 1e-8
_SURENESS = 60.0
"""Six times what cosines say of the likeliest emotion by themselves: nearly a choice."""
_DRAWN = 3.0
"""Parts of the likeliest emotion to one of what was heard."""
_CALM = 0.1
"""How much nearer neutral counts, for most speech is no act. Up to 0.15 it cost nothing on training voices left out."""


@dataclass(frozen=True)
class SequenceShape:
    """Sizes of one side. `enters` is the width of what comes in; 0 for one that has the layers' width already.

    `longest` frames have positions; `cuts` says that what is longer is cut there, else it is an error. One in `every`
    frames is taken: moods change more slowly than lips. `usual` is how many usual emotions there are that a mean is
    drawn to (`drawn_to_likeliest`); 0 leaves it where it is.
    """

    width: int
    layers: int
    longest: int
    enters: int = 0
    cuts: bool = False
    heads: int = 8
    hidden: int = 2048
    embedding: int = 128
    dropout: float = 0.1
    every: int = 1
    usual: int = 0


SPEECH_SHAPE = SequenceShape(width=768, layers=2, longest=500, cuts=True)
"""The paper's: 10 s at 50 Hz."""

EXPRESSION_SHAPE = SequenceShape(width=512, layers=6, longest=250, enters=128)
"""The paper's: 10 s at 25 Hz."""


class EmotionGaussian(NamedTuple):
    """`mean` [B, 128] of unit length, `log_variance` [B, 128] of each dimension."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor, spread: float = 1.0) -> Tensor:
        """An emotion near the mean: `noise` [B, 128] standard normal, `spread` >= 0 scales the deviation; unit length.

        Spread 0 is the mean. (The released code multiplies the *log*-variance instead, which widens when it means to
        narrow: section 3, no. 5.)
        """
        if spread < 0:
            raise InvalidValue("emotion_spread", spread, "0 or more; 0 is the mean, 1 the learned spread")
        return unit(self.mean + spread * noise * torch.exp(0.5 * self.log_variance))


def unit(x: Tensor) -> Tensor:
    """Rows of `x` [B, D] at unit length."""
    length: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / (length + _TINY)


def drawn_to_likeliest(mean: Tensor, usual: Tensor) -> Tensor:
    """`mean` [B, D] three quarters of the way to the likeliest of the `usual` ones [E, D], all of unit length.

    What is heard between two emotions lies between their faces, and a generator that knows clear faces makes of that a
    calm one. Of 460 takes .715 were heard nearest to their emotion; .70 showed it where means were drawn half way, .71
    where three quarters; before there was any of this .70 and .65 (2026-11-22).
    """
    likely = torch.softmax(_SURENESS * (mean @ usual.T + _CALM * (torch.arange(len(usual)) == NEUTRAL)), dim=1)
    return unit(mean + _DRAWN * likely @ usual)


class Head(nn.Module):
    """`x` [B, F, width] -> [B, embedding]."""

    def __init__(self, shape: SequenceShape) -> None:
        super().__init__()
        self.layer = PostNormLayer(shape.width, shape.heads, shape.hidden, "relu", shape.dropout)
        self.map = nn.Linear(shape.width, shape.embedding)
        self.pool = RankPooling()

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(self.map(self.layer(x)))
        return pooled


class SequenceEmbedding(nn.Module):
    """A sequence of features [B, F, D] as a Gaussian of emotion."""

    def __init__(self, shape: SequenceShape) -> None:
        super().__init__()
        self.shape = shape
        self.enter = nn.Linear(shape.enters, shape.width) if shape.enters else nn.Identity()
        self.register_buffer("positions", sinusoids(shape.longest, shape.width), persistent=False)
        self.positions: Tensor
        self.dropout = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList(
            PostNormLayer(shape.width, shape.heads, shape.hidden, "relu", shape.dropout) for _ in range(shape.layers)
        )
        self.mean_head = Head(shape)
        self.variance_head = Head(shape)
        if shape.usual:
            self.register_buffer("usual", torch.eye(shape.usual, shape.embedding))
            self.usual: Tensor

    def forward(self, features: Tensor) -> EmotionGaussian:
        heard = self.undecided(features)
        return heard._replace(mean=self._decided(heard.mean))

    def undecided(self, features: Tensor) -> EmotionGaussian:
        """The Gaussian before it is drawn to any usual emotion: what losses ask."""
        shared = self._shared(features)
        return EmotionGaussian(unit(self.mean_head(shared)), self.variance_head(shared))

    def mean(self, features: Tensor) -> Tensor:
        """Only the mean [B, 128], for whoever does not sample."""
        return self._decided(unit(self.mean_head(self._shared(features))))

    def _decided(self, mean: Tensor) -> Tensor:
        return drawn_to_likeliest(mean, self.usual) if self.shape.usual else mean

    def _shared(self, features: Tensor) -> Tensor:
        if self.shape.cuts:
            features = features[:, : self.shape.longest]
        elif features.shape[1] > self.shape.longest:
            raise InvalidValue("frames", features.shape[1], f"at most {self.shape.longest} in one piece")
        x: Tensor = self.enter(features[:, :: self.shape.every])
        x = self.dropout(x + self.positions[: x.shape[1]])
        for layer in self.layers:
            x = layer(x)
        return x


class SpeechEmotion(nn.Module):
    """Speech to a Gaussian of emotion: `encoder` gives features [B, F, width] of a normalised waveform [B, T]."""

    def __init__(self, encoder: nn.Module, shape: SequenceShape = SPEECH_SHAPE) -> None:
        super().__init__()
        self.encoder = encoder
        self.embedding = SequenceEmbedding(shape)

    def forward(self, waveform: Tensor) -> EmotionGaussian:
        """`waveform` [B, T] behind `audio.emotion_waveform`; at the paper's sizes what is beyond 10 s is not heard."""
        return EmotionGaussian(*self.embedding(self.encoder(waveform)))


class EmotionEmbedding(nn.Module):
    """Both sides and the two numbers that turn their distance into a logit; the whole of what stage 1 trains.

    Expressions come as the 128 features of `FrameEmotion.features`.
    """

    def __init__(self, encoder: nn.Module, speech: SequenceShape = SPEECH_SHAPE,
                 expression: SequenceShape = EXPRESSION_SHAPE) -> None:  # fmt: skip
        super().__init__()
        self.speech = SpeechEmotion(encoder, speech)
        self.expression = SequenceEmbedding(expression)
        self.scale = nn.Parameter(torch.full((1,), 5.0))
        self.shift = nn.Parameter(torch.full((1,), 5.0))
