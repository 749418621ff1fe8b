"""What a waveform goes through before the networks: padding to whole codes and two kinds of normalisation.

Time here is 25 frames a second of 640 samples. A top code spans 4 frames, so every length is a multiple of 2560
samples. The two speech encoders were trained with different normalisations; both come after the padding, which
therefore takes part in the statistics (specification, sections 1.7 and 2.2).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream.errors import AudioError

SAMPLE_RATE = 16_000
FRAME_RATE = 25
FRAME_SAMPLES = SAMPLE_RATE // FRAME_RATE
FRAMES_PER_CODE = 4
"""Frames under one top code, 160 ms; a bottom code has half as many."""

CODE_SAMPLES = FRAMES_PER_CODE * FRAME_SAMPLES
LONGEST_FRAMES = 1200
"""48 s: as far as the positions of the released networks go. Longer audio is cut into overlapping parts before."""

_CONTENT_FLOOR = 1e-7
_EMOTION_FLOOR = 1e-5


def padded_frames(samples: int) -> int:
    """Frames that the model computes for `samples`: whole codes, always 1 to 4 more than the audio fills."""
    frames = samples * FRAME_RATE // SAMPLE_RATE
    return frames + FRAMES_PER_CODE - frames % FRAMES_PER_CODE


def audible_frames(samples: int) -> int:
    """Frames that belong to `samples`, the last one begun: `ceil(samples / 640)`. What is beyond is padding."""
    return -(-samples // FRAME_SAMPLES)


def pad_to_codes(waveform: Tensor) -> Tensor:
    """`waveform` [B, T] with zeros at its end, [B, 640 * padded_frames(T)]. Raises `AudioError` beyond 48 s."""
    frames = padded_frames(waveform.shape[1])
    if waveform.shape[1] == 0 or frames > LONGEST_FRAMES:
        longest = (LONGEST_FRAMES - FRAMES_PER_CODE) * FRAME_SAMPLES
        raise AudioError("audio", f"{waveform.shape[1]} samples", f"1 to {longest} samples at 16 kHz in one piece")
    return F.pad(waveform, (0, frames * FRAME_SAMPLES - waveform.shape[1]))


def content_waveform(waveform: Tensor) -> Tensor:
    """Mean 0 and variance 1 for the content encoder, [B, T] -> [B, T]; each row for itself (section 3, no. 9)."""
    variance, mean = torch.var_mean(waveform, dim=1, correction=0, keepdim=True)
    return (waveform - mean) / torch.sqrt(variance + _CONTENT_FLOOR)


def emotion_waveform(waveform: Tensor) -> Tensor:
    """Layer norm over time for the emotion encoder, [B, T] -> [B, T]."""
    variance, mean = torch.var_mean(waveform, dim=1, correction=0, keepdim=True)
    return (waveform - mean) / torch.sqrt(variance + _EMOTION_FLOOR)
