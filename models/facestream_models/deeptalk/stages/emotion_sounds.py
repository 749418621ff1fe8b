"""What the fixed front of the emotion encoder makes of takes, made once for a whole training.

Spectra and pitch are half of a step's time, and nothing in them learns. Playing takes at .9 to 1.12 of their speed and
tilting their spectra, to make more voices of few, was tried and left out: rank 1 of whole held-out takes fell from .70
to .58 (2026-11-21). Height and colour of a voice are what its emotion is told by.
"""

import torch
from torch import Tensor

from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.encoders.compact_emotion import SOUND_PER_FEATURE, CompactEmotionEncoder


class EmotionSounds:
    """Sounds of `takes`, each normalised as a whole."""

    def __init__(self, takes: TakeWindows, encoder: CompactEmotionEncoder) -> None:
        with torch.no_grad():
            self._sounds = [encoder.sound(emotion_waveform(whole.audio))[0].half() for whole in takes.whole()]

    def cut(self, windows: Windows) -> Tensor:
        """Sound [B, 2 F, C] of `windows`; beyond the end of a take its last moment goes on."""
        length = SOUND_PER_FEATURE * windows.motion.shape[1]
        rows = []
        for take, first in zip(windows.take.tolist(), windows.first.tolist(), strict=True):
            row = self._sounds[take][SOUND_PER_FEATURE * first : SOUND_PER_FEATURE * first + length]
            rows.append(torch.cat([row, row[-1:].expand(length - len(row), -1)]))
        return torch.stack(rows).float()
