"""The post-norm transformer layer that every paper-size network here is made of, with *additive* attention bias.

Attention is written out on purpose. The stock encoder layer of torch (since 1.13) has an inference path that casts a
float attention mask to boolean, so that in evaluation every position with a bias other than zero is masked; a network
that was trained with distance biases then attends to nothing but itself (deeptalk specification, section 0).
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["gelu", "relu"]
_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}


class SelfAttention(nn.Module):
    """Self-attention of all frames to all frames: `x` [B, F, D] -> [B, F, D]; scores are scaled by sqrt(D / heads)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """`bias` float [heads, F, F] or [B, heads, F, F] is added to the scores before the soft-max."""
        rows, frames, width = x.shape
        stacked = self.qkv(x).reshape(rows, frames, 3, self.heads, width // self.heads)
        query, key, value = stacked.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=self.dropout if self.training else 0.0
        )
        output: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return output


class PostNormLayer(nn.Module):
    """`x = norm(x + attention(x)); x = norm(x + feed_forward(x))`, `x` [B, F, D]; dropout where torch has it."""

    def __init__(self, width: int, heads: int, hidden: int, activation: Activation, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = SelfAttention(width, heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.output_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.activation = _ACTIVATIONS[activation]

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """`bias` as in `SelfAttention`."""
        x = self.attention_norm(x + self.dropout(self.attention(x, bias)))
        wide = self.dropout(self.activation(self.widen(x)))
        output: Tensor = self.output_norm(x + self.dropout(self.narrow(wide)))
        return output


def sinusoids(length: int, width: int) -> Tensor:
    """Position codes [length, width]: sine in even columns, cosine in odd ones, wavelengths 2 pi to 20000 pi."""
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(length)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, width)


def distance(frames: int, like: Tensor) -> Tensor:
    """`|i - j|` as [F, F], in the type and on the device of `like`."""
    position = torch.arange(frames, device=like.device, dtype=like.dtype)
    return (position[:, None] - position[None, :]).abs()


def alibi_slopes(heads: int) -> list[float]:
    """Slope of each head's distance bias: powers of two from 1/2 down for 8 heads, 12 heads get four more between.

    "Train short, test long" (arXiv 2108.12409), section 3: a count that is no power of two takes the slopes of the
    next lower power, then every other one of the next higher.
    """
    lower = 1 << (heads.bit_length() - 1)
    slopes = [2.0 ** (-8.0 * (n + 1) / lower) for n in range(lower)]
    between = [2.0 ** (-8.0 * (n + 1) / (2 * lower)) for n in range(0, 2 * (heads - lower), 2)]
    return slopes + between


def distance_bias(frames: int, heads: int, like: Tensor, *, period: int = 1) -> Tensor:
    """Symmetric bias `-slope * floor(|i - j| / period)`, [heads, F, F]: what is near counts more, nothing is masked."""
    steps = distance(frames, like)
    if period > 1:
        steps = torch.floor(steps / period)
    return -torch.tensor(alibi_slopes(heads), device=like.device, dtype=like.dtype)[:, None, None] * steps
