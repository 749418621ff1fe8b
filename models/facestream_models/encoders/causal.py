"""Building blocks of causal networks with explicit state: the same call serves a whole clip and one live hop.

Each stateful block is called as `output, next_state = block(x, state)` with the state a plain tensor that the caller
owns; zeros are a fresh stream. Feeding a clip at once or hop by hop gives the same values, because a block sees
nothing but `x` and what the state carried over. Layout is `[B, T, channels]` throughout: on CPUs the linear layers
then are plain matrix products, in torch and in ONNX Runtime alike.
"""

import torch
from torch import Tensor, nn


def with_history(x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Put the remembered steps before `x` [B, T, ...] and cut the next state of the same length off the end."""
    extended = torch.cat([state, x], dim=1)
    return extended, extended[:, -state.shape[1] :]


class CausalDepthwise(nn.Module):
    """Depthwise convolution over time: `x` [B, T, C], `state` [B, (kernel - 1) * dilation, C].

    Written as shifted products: few channels see each other, so a convolution kernel would only add overhead.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.history = (kernel - 1) * dilation
        self.weight = nn.Parameter(torch.randn(kernel, channels) / kernel**0.5)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        extended, next_state = with_history(x, state)
        total: Tensor = self.bias
        for tap in range(self.kernel):
            first, behind = tap * self.dilation, (self.kernel - 1 - tap) * self.dilation
            total = total + self.weight[tap] * extended[:, first : -behind if behind else None]
        return total, next_state


class CausalBlock(nn.Module):
    """Residual block: depthwise over time, normalise, widen, narrow (after ConvNeXt); shapes as CausalDepthwise."""

    def __init__(self, width: int, hidden: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.time = CausalDepthwise(width, kernel, dilation)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.narrow.weight, std=0.5 / hidden**0.5)
        nn.init.zeros_(self.narrow.bias)

    @property
    def history(self) -> int:
        return self.time.history

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        mixed, next_state = self.time(x, state)
        hidden = nn.functional.silu(self.widen(self.norm(mixed)))
        return x + self.dropout(self.narrow(hidden)), next_state
