"""The whole of DiffPoseTalk (arXiv 2310.00434): speech features, denoiser, and vectors that stand in for nothing."""

import torch
from torch import Tensor, nn

from facestream_models.diffposetalk.denoiser import Denoiser, Past
from facestream_models.diffposetalk.shape import DenoiserShape


class DiffPoseTalk(nn.Module):
    """`speech` maps normalised audio [B, 640 F] to features [B, F, W]: `SpeechFeatures` at the paper's size.

    `start` stands in for the past of a first window, `null_style` and `null_audio` for a condition that is not given.
    All are learned. Past audio is never nulled.
    """

    def __init__(self, shape: DenoiserShape, speech: nn.Module) -> None:
        super().__init__()
        self.shape = shape
        self.speech = speech
        self.denoiser = Denoiser(shape)
        self.start_motion = nn.Parameter(torch.randn(1, shape.past, shape.motion_count))
        self.start_audio = nn.Parameter(torch.randn(1, shape.past, shape.width))
        self.null_style = nn.Parameter(torch.randn(1, 1, shape.style_count))
        self.null_audio = nn.Parameter(torch.randn(1, 1, shape.width))

    def start(self, rows: int) -> Past:
        """The past of streams that begin."""
        return Past(self.start_motion.expand(rows, -1, -1), self.start_audio.expand(rows, -1, -1))

    def person(self, identity: Tensor, style: Tensor | None) -> Tensor:
        """`[B, identity + style]` of a normalised `identity` [B, 100] and a `style` [B, 128], or none."""
        if style is None:
            style = self.null_style[:, 0].expand(len(identity), -1)
        return torch.cat([identity, style], dim=1)

    def audio(self, features: Tensor | None, rows: int) -> Tensor:
        """`features` [B, L, W] as they are, or the null vector in every frame of `rows` windows."""
        return self.null_audio.expand(rows, self.shape.window, -1) if features is None else features
