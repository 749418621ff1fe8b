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

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        """`x` [B, N, width] with `memory` [B, M, width]; `bias` [N, M] is added to the scores of cross-attention."""
        x = self.norm1(x + self.dropout(self.self_attention(x)))
        x = self.norm2(x + self.dropout(self.cross_attention.across(x, memory, bias)))
        y: Tensor = self.norm3(x + self.dropout(self.feed_forward(x)))
        return y
