"""TH-VQVAE, the motion prior: 25 Hz motion as two sequences of codes, and back.

    motion -> bottom encoder (12.5 Hz) -> top encoder (6.25 Hz) -> top codes
    [top decoder of the top codes, bottom encoder] -> bottom codes
    [up-sampled top codes, bottom codes] -> bottom decoder -> motion

Top codes carry what lasts, expression above all; bottom codes add the lips (the idea of VQ-VAE-2 along time;
specification, sections 1.4 and 2.7). Lengths are multiples of 4 frames.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.errors import InvalidValue
from facestream_models.deeptalk.audio import FRAMES_PER_CODE
from facestream_models.deeptalk.codebook import Codebook
from facestream_models.encoders.speech_attention import PostNormLayer, distance_bias

_SLOPE = 0.2
_KERNEL = 5
COMMITMENT_WEIGHT = 0.25


@dataclass(frozen=True)
class MotionPriorShape:
    """Sizes; the defaults are the paper's. A bottom code is as wide as what it is chosen from: `2 * width`.

    `top_slips` is the share of top codes that training takes wrong, for bottom codes to make up for.
    """

    coefficients: int = 53
    width: int = 128
    codes: int = 256
    heads: int = 8
    hidden: int = 256
    decoder_hidden: int = 512
    dropout: float = 0.1
    decay: float = 0.95
    revival: float = 0.0
    top_slips: float = 0.0

    @property
    def bottom_width(self) -> int:
        return 2 * self.width

    @property
    def decoder_width(self) -> int:
        return self.width + self.bottom_width


class Reconstruction(NamedTuple):
    """`motion` [B, F, 53], `top_codes` [B, F / 4], `bottom_codes` [B, F / 2], `commitment` of both levels, weighted."""

    motion: Tensor
    top_codes: Tensor
    bottom_codes: Tensor
    commitment: Tensor


class Halve(nn.Module):
    """Motion or features at half the rate: `x` [B, F, source] -> [B, F / 2, width]."""

    def __init__(self, source: int, shape: MotionPriorShape) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(source, shape.width, _KERNEL, stride=2)
        self.norm = nn.BatchNorm1d(shape.width)
        self.enter = nn.Linear(shape.width, shape.width)
        self.layer = PostNormLayer(shape.width, shape.heads, shape.hidden, "gelu", shape.dropout)

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x.transpose(1, 2), (_KERNEL // 2, _KERNEL // 2), mode="replicate")
        x = self.norm(F.leaky_relu(self.convolution(padded), _SLOPE))
        x = self.enter(x.transpose(1, 2))
        mixed: Tensor = self.layer(x, distance_bias(x.shape[1], self.layer.attention.heads, x))
        return mixed


class Double(nn.Module):
    """Features at twice the rate: `x` [B, F, width] -> [B, 2 F, width]."""

    def __init__(self, width: int, hidden: int, shape: MotionPriorShape) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose1d(width, width, _KERNEL, stride=2, padding=_KERNEL // 2, output_padding=1)
        self.norm = nn.BatchNorm1d(width)
        self.enter = nn.Linear(width, width)
        self.layer = PostNormLayer(width, shape.heads, hidden, "gelu", shape.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(F.leaky_relu(self.convolution(x.transpose(1, 2)), _SLOPE))
        x = self.enter(x.transpose(1, 2))
        mixed: Tensor = self.layer(x, distance_bias(x.shape[1], self.layer.attention.heads, x))
        return mixed


class MotionPrior(nn.Module):
    """See the module text. The generator uses `decode_top` and `decode`; `forward` is what training needs."""

    def __init__(self, shape: MotionPriorShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or MotionPriorShape()
        self.bottom_encoder = Halve(shape.coefficients, shape)
        self.top_encoder = Halve(shape.width, shape)
        self.top_codebook = Codebook(shape.codes, shape.width, shape.decay, shape.revival, shape.top_slips)
        self.top_decoder = Double(shape.width, shape.hidden, shape)
        self.bottom_codebook = Codebook(shape.codes, shape.bottom_width, shape.decay, shape.revival)
        self.up_sample = nn.ConvTranspose1d(shape.width, shape.width, 4, stride=2, padding=1)
        self.bottom_decoder = Double(shape.decoder_width, shape.decoder_hidden, shape)
        self.leave = nn.Conv1d(shape.decoder_width, shape.coefficients, _KERNEL, padding=_KERNEL // 2)

    def forward(self, motion: Tensor) -> Reconstruction:
        """`motion` [B, F, 53]. Raises `InvalidValue` where F is no multiple of 4."""
        if motion.shape[1] == 0 or motion.shape[1] % FRAMES_PER_CODE:
            raise InvalidValue("frames", motion.shape[1], f"a multiple of {FRAMES_PER_CODE}")
        bottom = self.bottom_encoder(motion)
        top = self.top_codebook(self.top_encoder(bottom))
        fine = self.bottom_codebook(torch.cat([self.decode_top(top.vectors), bottom], dim=2))
        return Reconstruction(
            self.decode(top.vectors, fine.vectors),
            top.codes,
            fine.codes,
            COMMITMENT_WEIGHT * (top.commitment + fine.commitment),
        )

    def top_likeness(self, motion: Tensor, softness: float) -> Tensor:
        """How well each top code would do for `motion` [B, F, 53], [B, F / 4, codes] (`Codebook.likeness`)."""
        return self.top_codebook.likeness(self.top_encoder(self.bottom_encoder(motion)), softness)

    def bottom_likeness(self, motion: Tensor, top_codes: Tensor, softness: float) -> Tensor:
        """How well each bottom code would do beside `top_codes` [B, F / 4], right or wrong, [B, F / 2, codes]."""
        top = self.decode_top(self.top_codebook.vectors[top_codes])
        both = torch.cat([top, self.bottom_encoder(motion)], dim=2)
        return self.bottom_codebook.likeness(both, softness)

    def decode_top(self, top: Tensor) -> Tensor:
        """Top vectors [B, K, width] -> features at the rate of bottom codes [B, 2 K, width]."""
        features: Tensor = self.top_decoder(top)
        return features

    def decode(self, top: Tensor, bottom: Tensor) -> Tensor:
        """Top vectors [B, K, width] and bottom vectors [B, 2 K, 2 width] -> motion [B, 4 K, 53]."""
        coarse = self.up_sample(top.transpose(1, 2)).transpose(1, 2)
        x = self.bottom_decoder(torch.cat([coarse, bottom], dim=2))
        motion: Tensor = self.leave(x.transpose(1, 2)).transpose(1, 2)
        return motion
