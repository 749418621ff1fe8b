"""The post-norm decoder layer: every part is added to its input first and normalised after."""

from torch import Tensor, nn

from facestream_models.diffposetalk.attention import Attention


class FeedForward(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.widen = nn.Linear(width, hidden)
        self.gelu = nn.GELU()
        self.dropout = nn.Dropout(dropout)
        self.narrow = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(self.dropout(self.gelu(self.widen(x))))
        return y


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention to a memory and feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attention = Attention(width, heads, dropout)
        self.cross_attention = Attention(width, heads, dropout)
        self.feed_forward = FeedForward(width, hidden, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None = None) -> Tensor:
        """`x` [B, 1 + M, width] with `memory` [B, M, width].

        Token 0 finds what it will in the memory, each other token what stands at its own place. With a `bias`
        [1 + M, M] that says the same to scores of attention, all tokens look through it.
        """
        x = self.norm1(x + self.dropout(self.self_attention(x)))
        attention = self.cross_attention
        found = attention.aligned(x, memory) if bias is None else attention.across(x, memory, bias)
        x = self.norm2(x + self.dropout(found))
        y: Tensor = self.norm3(x + self.dropout(self.feed_forward(x)))
        return y
