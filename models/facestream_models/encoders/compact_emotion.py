"""A small encoder of how something is said: spectrum and pitch in, features at 25 Hz out.

The 25 ms windows of a mel spectrum do not resolve the harmonics of a low voice, and pitch is half of an emotion's
sound. So a second spectrum of 64 ms windows, up to 1 kHz in 15.6 Hz steps, goes in beside it.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.encoders.mel import SAMPLE_RATE, TAIL, MelPower, log_features

RATE = 25
_HOP = SAMPLE_RATE // (2 * RATE)
_PITCH_WINDOW = 1024
_HIGHEST_HZ = 1000.0
_FLOOR = 1e-9


@dataclass(frozen=True)
class CompactEmotionShape:
    """Sizes; `width` is that of the features. In training a share `dropout` of the features is left out."""

    bands: int = 40
    channels: int = 96
    width: int = 128
    kernel: int = 5
    dropout: float = 0.0


class PitchSpectrum(nn.Module):
    """Log power of harmonics: `waveform` [B, T] -> [B, T // 320, bins], 1 a 20 dB above a floor of -90 dB."""

    def __init__(self) -> None:
        super().__init__()
        self.bins = int(_HIGHEST_HZ * _PITCH_WINDOW / SAMPLE_RATE)
        window = np.hanning(_PITCH_WINDOW + 1)[:_PITCH_WINDOW]
        angle = 2 * np.pi * np.outer(np.arange(1, self.bins + 1), np.arange(_PITCH_WINDOW)) / _PITCH_WINDOW
        basis = np.concatenate([np.cos(angle), np.sin(angle)]) * window * 2.0 / window.sum()
        self.register_buffer("basis", torch.tensor(basis[:, None], dtype=torch.float32), persistent=False)
        self.basis: Tensor

    def forward(self, waveform: Tensor) -> Tensor:
        padded = F.pad(waveform, (_PITCH_WINDOW - _HOP, 0))[:, None]
        real, imaginary = F.conv1d(padded, self.basis, stride=_HOP).chunk(2, dim=1)
        power = (real.square() + imaginary.square()).transpose(1, 2)
        return torch.log(power.clamp(min=_FLOOR) / _FLOOR) * (0.5 / math.log(10.0))


class CompactEmotionEncoder(nn.Module):
    """`waveform` [B, T] of unit variance, T a multiple of 640 -> features [B, T / 640, width]."""

    def __init__(self, shape: CompactEmotionShape | None = None) -> None:
        super().__init__()
        shape = shape or CompactEmotionShape()
        self.mel = MelPower(shape.bands)
        self.pitch = PitchSpectrum()
        source = 2 * shape.bands + self.pitch.bins
        self.enter = nn.Conv1d(source, shape.channels, shape.kernel, padding=shape.kernel // 2)
        self.halve = nn.Conv1d(shape.channels, shape.width, shape.kernel, stride=2, padding=shape.kernel // 2)
        self.norm = nn.LayerNorm(shape.width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, waveform: Tensor) -> Tensor:
        power, _ = self.mel(waveform, waveform.new_zeros(waveform.shape[0], TAIL))
        mel = log_features(power)
        pairs = mel.reshape(mel.shape[0], -1, 2 * mel.shape[2])
        both = torch.cat([pairs, self.pitch(waveform)], dim=2).transpose(1, 2)
        x = F.silu(self.halve(F.silu(self.enter(both)))).transpose(1, 2)
        features: Tensor = self.dropout(self.norm(x))
        return features
