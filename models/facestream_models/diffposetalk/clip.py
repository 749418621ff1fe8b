"""Motion of a whole clip: window after window, each beginning with the last frames of the one before (section 7.5).

Time is whole frames of 640 samples. What the audio has beyond its last whole frame is cut off; the released code
squeezes it into the frames before, which shifts them by up to one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream.errors import AudioError
from facestream.motion.diffposetalk.noise import Noise
from facestream_models.diffposetalk.shape import FRAME_SAMPLES, DenoiserShape
from facestream_models.diffposetalk.speech import normalised
from facestream_models.diffposetalk.window import Person, Recipe, Speech, StreamNoise, WindowSampler


def frame_count(waveform: Tensor) -> int:
    """Whole frames in `waveform` [..., T] at 16 kHz."""
    return waveform.shape[-1] // FRAME_SAMPLES


def generate_clip(
    sampler: WindowSampler, waveform: Tensor, person: Person, recipe: Recipe, noises: Sequence[Noise]
) -> Tensor:
    """Normalised motion [B, F, D] of `waveform` float [B or 1, T] at 16 kHz, F = T // 640.

    One entry of `noises` a row; a single waveform is heard once and shared by all rows. Raises `AudioError` for less
    than one frame or samples that are not numbers.
    """
    shape = sampler.model.shape
    frames = frame_count(waveform)
    if frames == 0:
        raise AudioError("audio", f"{waveform.shape[-1]} samples", f"at least {FRAME_SAMPLES} (40 ms at 16 kHz)")
    if not bool(torch.isfinite(waveform).all()):
        raise AudioError("audio", "samples that are not numbers", "finite samples")
    with torch.no_grad():
        features = sampler.model.speech(_whole_windows(waveform, shape)).expand(len(noises), -1, -1)
    past = sampler.model.start(len(noises))
    motions = []
    for first in range(0, frames, shape.window):
        heard = features[:, first : first + shape.window]
        indicator = (torch.arange(first, first + shape.window, device=features.device) < frames).to(features)
        rows = [StreamNoise(noise, first) for noise in noises]
        motion = sampler(Speech(heard, indicator.expand(len(noises), -1)), person, past, recipe, rows)
        past = past.followed_by(motion, heard)
        motions.append(motion)
    return torch.cat(motions, dim=1)[:, :frames]


def _whole_windows(waveform: Tensor, shape: DenoiserShape) -> Tensor:
    """Normalised over all of it, cut to whole frames, then silent to the end of the last window."""
    frames = frame_count(waveform)
    windows = -(-frames // shape.window)
    whole = normalised(waveform)[:, : frames * FRAME_SAMPLES]
    return F.pad(whole, (0, windows * shape.window_samples - whole.shape[1]))
