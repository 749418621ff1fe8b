"""How takes are said, on the whole, worked out once for a training whose encoder hears nothing else.

The statistics of `compact_emotion.Manner` of each take and of pieces of it as short as a live stream hears them.
Nothing in them learns, so a step is done in a tenth of the time that features of moments take.
"""

import numpy as np
import torch
from torch import Tensor

from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.stages.emotion_sounds import as_recorded
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.encoders.compact_emotion import SOUND_PER_FEATURE, CompactEmotionEncoder

_PIECES = 2
_PIECE_FRAMES = (50, 80)
_WHOLE_SHARE = 0.6
_MOVED_BY = 0.1
_FARTHEST = 6.0
"""In spreads of a statistic over all takes: how much it is moved at random, how far from the mean it may lie."""


class EmotionManners:
    """Statistics of `takes`, [takes, 1 + pieces, D]; half of the takes, by chance, as if recorded (`as_recorded`)."""

    def __init__(self, takes: TakeWindows, encoder: CompactEmotionEncoder, *, recorded: bool = False) -> None:
        random = np.random.default_rng(0)
        rows = []
        with torch.no_grad():
            for whole in takes.whole():
                audio = as_recorded(whole.audio, random) if recorded and random.random() < 0.5 else whole.audio
                sound = encoder.sound(emotion_waveform(audio))
                heard = [sound, *(_piece(sound, random) for _ in range(_PIECES))]
                rows.append(torch.cat([encoder.whole(each) for each in heard]))
        self._manners = torch.stack(rows)
        self._mean, self._spread = self._manners[:, 0].mean(dim=0), self._manners[:, 0].std(dim=0)

    def of(self, windows: Windows, random: np.random.Generator) -> Tensor:
        """Statistics [B, D] of the takes of `windows`: mostly of all of a take, else of a piece, a little moved."""
        count = len(windows.take)
        piece = np.where(random.random(count) < _WHOLE_SHARE, 0, random.integers(1, 1 + _PIECES, size=count))
        said = self._manners[windows.take, torch.from_numpy(piece)]
        far = _FARTHEST * self._spread
        said = torch.maximum(torch.minimum(said, self._mean + far), self._mean - far)
        noise = torch.from_numpy(random.normal(size=tuple(said.shape)).astype(np.float32))
        return said + _MOVED_BY * self._spread * noise


def _piece(sound: Tensor, random: np.random.Generator) -> Tensor:
    """A random piece of `sound` [1, 2 F, C] of 2 to 3.2 s, or all of it where it is shorter."""
    frames = sound.shape[1] // SOUND_PER_FEATURE
    length = min(frames, int(random.integers(_PIECE_FRAMES[0], _PIECE_FRAMES[1] + 1)))
    first = int(random.integers(frames - length + 1))
    return sound[:, SOUND_PER_FEATURE * first : SOUND_PER_FEATURE * (first + length)]
