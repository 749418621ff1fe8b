"""Multi-head attention from plain matrix products, so that every part of it can be cached and exported."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Query, key and value weights stand in that order in one matrix, as the released weights have them.

    `N` queries and `M` keys; heads of width `H = width / heads`.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = width
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Self-attention of `x` [B, N, width]."""
        return self.among(self.qkv(x))

    def among(self, projected: Tensor, bias: Tensor | None = None) -> Tensor:
        """Self-attention of what `qkv` made of `x`, [B, N, 3 width]; `bias` is added to the scores."""
        queries, keys, values = projected.chunk(3, dim=2)
        return self.attend(self.split(queries), self.split(keys), self.split(values), bias)

    def across(self, x: Tensor, memory: Tensor, bias: Tensor | None = None) -> Tensor:
        """What `x` [B, N, width] finds in `memory` [B, M, width]; `bias` [N, M] is added to the scores."""
        return self.attend(self.queries(x), *self.keys_values(memory), bias)

    def queries(self, x: Tensor) -> Tensor:
        """`[B, heads, N, H]`."""
        return self.split(F.linear(x, self.qkv.weight[: self.width], self.qkv.bias[: self.width]))

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, heads, M, H]` twice."""
        pair = F.linear(memory, self.qkv.weight[self.width :], self.qkv.bias[self.width :])
        keys, values = pair.chunk(2, dim=2)
        return self.split(keys), self.split(values)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
        """`[B, N, width]` of split queries, keys and values."""
        dropout = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, dropout_p=dropout)
        mixed: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return mixed

    def of_one_key(self, memory: Tensor) -> Tensor:
        """What a query finds that may see exactly one key, for each key of `memory` [B, M, width].

        The softmax over one element is 1 whatever the query, so this needs none.
        """
        weight, bias = self.qkv.weight[2 * self.width :], self.qkv.bias[2 * self.width :]
        mixed: Tensor = self.out(F.linear(memory, weight, bias))
        return mixed

    def aligned(self, x: Tensor, memory: Tensor) -> Tensor:
        """`[B, 1 + M, width]`: token 0 of `x` looks at all of `memory` [B, M, width], token 1 + j at its place j."""
        return torch.cat([self.across(x[:, :1], memory), self.of_one_key(memory)], dim=1)

    def split(self, x: Tensor) -> Tensor:
        """`[B, N, width]` as heads `[B, heads, N, H]`."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)
