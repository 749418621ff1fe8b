"""What the fixed front of the emotion encoder makes of takes, made once for a whole training.

Spectra and pitch are half of a step's time, and nothing in them learns. Playing takes at .9 to 1.12 of their speed and
tilting their spectra, to make more voices of few, was tried and left out: rank 1 of whole held-out takes fell from .70
to .58 (2026-11-21). Height and colour of a voice are what its emotion is told by.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter
from torch import Tensor

from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.encoders.compact_emotion import SOUND_PER_FEATURE, CompactEmotionEncoder

_PRESSED = (0.0, 0.3)
_NOISE_BELOW_DB = (30.0, 65.0)
_NOISE_COLOUR = (0.0, 0.95)
_LOUDNESS_FOLLOWS = 0.002
"""Share of a sample that the loudness goes on by: about 30 ms at 16 kHz."""
_QUIET = 1e-3


class EmotionSounds:
    """Sounds of `takes`, each normalised as a whole; half of them, by chance, as if recorded (`as_recorded`)."""

    def __init__(self, takes: TakeWindows, encoder: CompactEmotionEncoder, *, recorded: bool = False) -> None:
        random = np.random.default_rng(0)
        self._sounds: list[tuple[Tensor, ...]] = []
        with torch.no_grad():
            for whole in takes.whole():
                audio = whole.audio
                heard = (audio, as_recorded(audio, random)) if recorded else (audio,)
                self._sounds.append(tuple(encoder.sound(emotion_waveform(each))[0].half() for each in heard))

    def cut(self, windows: Windows, random: np.random.Generator) -> Tensor:
        """Sound [B, 2 F, C] of `windows`; beyond the end of a take its last moment goes on."""
        length = SOUND_PER_FEATURE * windows.motion.shape[1]
        rows = []
        for take, first in zip(windows.take.tolist(), windows.first.tolist(), strict=True):
            sound = self._sounds[take][int(random.integers(len(self._sounds[take])))]
            row = sound[SOUND_PER_FEATURE * first : SOUND_PER_FEATURE * first + length]
            rows.append(torch.cat([row, row[-1:].expand(length - len(row), -1)]))
        return torch.stack(rows).float()


def as_recorded(audio: Tensor, random: np.random.Generator) -> Tensor:
    """`audio` [1, T] as a studio might have left it: loud and quiet brought closer, above the noise of a room."""
    samples = audio[0].numpy().astype(np.float64)
    loudness = np.sqrt(lfilter([_LOUDNESS_FOLLOWS], [1.0, _LOUDNESS_FOLLOWS - 1.0], samples**2)) + _QUIET
    pressed = samples * (loudness / loudness.max()) ** -random.uniform(*_PRESSED)
    noise = lfilter([1.0], [1.0, -random.uniform(*_NOISE_COLOUR)], random.normal(size=len(samples)))
    noise *= pressed.std() / noise.std() * 10.0 ** (-random.uniform(*_NOISE_BELOW_DB) / 20.0)
    made: NDArray[np.float32] = (pressed + noise).astype(np.float32)
    return torch.from_numpy(made)[None]
