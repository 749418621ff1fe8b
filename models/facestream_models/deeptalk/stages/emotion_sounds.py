"""What the fixed front of the emotion encoder makes of takes, at several speeds, made once for a whole training.

A voice played a little faster is another voice, higher and of a shorter tract, in the same emotion: few voices become
more. A random tilt of the spectrum is another room and microphone. Embeddings of so few voices know them by heart
otherwise (2026-11-21: from step 350 on nothing was gained on held-out voices, while the training loss fell by a third).
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from scipy.signal import resample_poly
from torch import Tensor

from facestream_models.deeptalk.audio import FRAME_SAMPLES, emotion_waveform
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.encoders.compact_emotion import SOUND_PER_FEATURE, CompactEmotionEncoder

_FINEST = 50
"""Speeds are fractions of at most this denominator."""


class EmotionSounds:
    """Sounds of `takes` at each of `speeds` (1.0 is as spoken)."""

    def __init__(self, takes: TakeWindows, encoder: CompactEmotionEncoder, speeds: Sequence[float]) -> None:
        self.speeds = tuple(speeds)
        self.bands = encoder.bands
        self._sounds: list[list[Tensor]] = []
        with torch.no_grad():
            for windows in takes.whole():
                played = (_played(windows.audio, speed) for speed in self.speeds)
                self._sounds.append([encoder.sound(emotion_waveform(audio))[0].half() for audio in played])

    def cut(self, windows: Windows, tilt: float, random: np.random.Generator) -> Tensor:
        """Sound [B, 2 F, C] of `windows`, each at a random speed, in a random tilt of that spread at the ends."""
        frames = windows.motion.shape[1]
        rows = [
            self._window(take, first, frames, int(random.integers(len(self.speeds))))
            for take, first in zip(windows.take.tolist(), windows.first.tolist(), strict=True)
        ]
        sounds = torch.stack(rows).float()
        if tilt:
            place = torch.linspace(-1.0, 1.0, self.bands)
            curves = torch.stack([place, 1.5 * place.square() - 0.5])
            change = tilt * torch.from_numpy(random.standard_normal((len(rows), 2)).astype(np.float32)) @ curves
            sounds[:, :, : 2 * self.bands] += change.repeat(1, 2)[:, None]
        return sounds

    def _window(self, take: int, first: int, frames: int, speed: int) -> Tensor:
        sound = self._sounds[take][speed]
        length = SOUND_PER_FEATURE * frames
        begin = min(round(SOUND_PER_FEATURE * first / self.speeds[speed]), max(len(sound) - length, 0))
        row = sound[begin : begin + length]
        return torch.cat([row, row[-1:].expand(length - len(row), -1)])


def _played(audio: Tensor, speed: float) -> Tensor:
    """`audio` [1, 640 F] at that speed, whole frames of it."""
    if speed == 1.0:
        return audio
    ratio = Fraction(speed).limit_denominator(_FINEST)
    played = resample_poly(audio[0].numpy(), ratio.denominator, ratio.numerator).astype(np.float32)
    whole = len(played) // FRAME_SAMPLES * FRAME_SAMPLES
    return torch.from_numpy(played[:whole])[None]
