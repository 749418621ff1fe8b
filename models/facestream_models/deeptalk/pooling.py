"""Pooling over time by rank instead of by place: generalised pooling of sorted features (GPO, arXiv 2011.04305).

Each channel is sorted over time, the largest first, and the K values are averaged with weights that a small recurrent
network gives to the ranks 1..K. The weights depend on K alone.
"""

import torch
from torch import Tensor, nn

from facestream_models.encoders.speech_attention import sinusoids

_TEMPERATURE = 0.1


class RankPooling(nn.Module):
    """`x` [B, K, D] -> [B, D]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.width = width
        self.recurrence = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        ordered = torch.sort(x, dim=1, descending=True).values
        return torch.einsum("k,bkd->bd", self.weights(x.shape[1]), ordered)

    def weights(self, length: int) -> Tensor:
        """Weight of each rank, [length], summing to 1."""
        codes = sinusoids(length, self.width).to(self.score.weight)
        both = self.recurrence(codes[None])[0][0]
        scores = self.score(both.unflatten(1, (2, self.width)).mean(dim=1))
        # [length, 1]: TensorRT has no softmax of a single axis
        return torch.softmax(scores / _TEMPERATURE, dim=0)[:, 0]
