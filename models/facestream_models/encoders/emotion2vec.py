"""emotion2vec-base: 16 kHz audio in, 768 features every 20 ms out, made to carry emotion (arXiv 2312.15185).

    waveform -> seven convolutions, each normalised over its channels (50 Hz, 512) -> norm, linear 768
        -> + five positional convolutions -> ten learned tokens in front -> 4 + 8 post-norm layers -> tokens dropped

The graph is data2vec 2.0's for speech. Attention carries a distance bias whose strength each head has learned; the
ten tokens are at no distance from anything.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.encoders.speech_attention import PostNormLayer, distance_bias


@dataclass(frozen=True)
class Emotion2VecShape:
    """Sizes; the defaults are emotion2vec-base. `dropout` acts in training only."""

    channels: int = 512
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    width: int = 768
    heads: int = 12
    hidden: int = 3072
    lower_layers: int = 4
    upper_layers: int = 8
    tokens: int = 10
    position_depth: int = 5
    position_kernel: int = 19
    position_groups: int = 16
    dropout: float = 0.0


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of `x` [B, channels, T]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class Emotion2Vec(nn.Module):
    """See the module text. Published weights are renamed by `deeptalk.official_weights`."""

    def __init__(self, shape: Emotion2VecShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Emotion2VecShape()
        sources = (1, *([shape.channels] * (len(shape.kernels) - 1)))
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(source, shape.channels, kernel, stride, bias=False), ChannelNorm(shape.channels), nn.GELU()
            )
            for source, kernel, stride in zip(sources, shape.kernels, shape.strides, strict=True)
        )
        self.feature_norm = nn.LayerNorm(shape.channels)
        self.project = nn.Linear(shape.channels, shape.width)
        self.positions = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(
                    shape.width,
                    shape.width,
                    shape.position_kernel,
                    padding=shape.position_kernel // 2,
                    groups=shape.position_groups,
                ),
                ChannelNorm(shape.width, elementwise_affine=False),
                nn.GELU(),
            )
            for _ in range(shape.position_depth)
        )
        self.tokens = nn.Parameter(torch.zeros(1, shape.tokens, shape.width))
        self.distance_strength = nn.Parameter(torch.ones(shape.heads, 1, 1))
        self.norm = nn.LayerNorm(shape.width)
        self.dropout = nn.Dropout(shape.dropout)
        self.lower_layers, self.upper_layers = (
            nn.ModuleList(
                PostNormLayer(shape.width, shape.heads, shape.hidden, "gelu", shape.dropout) for _ in range(count)
            )
            for count in (shape.lower_layers, shape.upper_layers)
        )

    def forward(self, waveform: Tensor) -> Tensor:
        """`waveform` float [B, T], normalised by the caller -> [B, `floor((T - 400) / 320) + 1`, width] at 50 Hz."""
        x = waveform[:, None]
        for convolution in self.convolutions:
            x = convolution(x)
        x = self.project(self.feature_norm(x.transpose(1, 2)))
        position = x.transpose(1, 2)
        for layer in self.positions:
            position = layer(position)
        x = x + position.transpose(1, 2)
        bias = self._bias(x)
        mixed: Tensor = torch.cat([self.tokens.expand(x.shape[0], -1, -1), x], dim=1)
        mixed = self.dropout(self.norm(mixed))
        for layer in (*self.lower_layers, *self.upper_layers):
            mixed = layer(mixed, bias)
        return mixed[:, self.shape.tokens :]

    def _bias(self, x: Tensor) -> Tensor:
        """Distance bias of frames and tokens, [heads, tokens + F, tokens + F]."""
        between_frames = distance_bias(x.shape[1], self.shape.heads, x) * self.distance_strength.clamp(min=0)
        return F.pad(between_frames, (self.shape.tokens, 0, self.shape.tokens, 0))
