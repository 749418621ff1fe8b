"""How acts are said, on the whole, worked out once for a training whose encoder hears nothing else.

The statistics of `compact_emotion.Manner` of each act and of pieces of it as short as a live stream hears them.
Nothing in them learns, so a step is done in a tenth of the time that features of moments take.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream_models.corpus.emotions import NEUTRAL
from facestream_models.corpus.real import RECORDED_SOURCES
from facestream_models.corpus.spoken_act import SpokenAct
from facestream_models.deeptalk.audio import FRAME_SAMPLES, emotion_waveform
from facestream_models.deeptalk.stages.emotion_sounds import as_recorded
from facestream_models.encoders.compact_emotion import SOUND_PER_FEATURE, CompactEmotionEncoder

_LONGEST_FRAMES = 250
_PIECES = 2
_PIECE_FRAMES = (50, 80)
_WHOLE_SHARE = 0.6
_RECORDED_SHARE = 0.5
_MOVED_BY = 0.1
_FARTHEST = 6.0
"""In spreads of a statistic over all acts: how much it is moved at random, how far from the mean it may lie."""


class Said(NamedTuple):
    """`manner` [B, D] and `emotion` [B] of acts."""

    manner: Tensor
    emotion: Tensor


class EmotionManners:
    """Statistics of `acts`, [acts, 1 + pieces, D]; half of the acts, by chance, as if recorded (`as_recorded`).

    Neutral acts of recorded voices are drawn `recorded_neutral` times as often as others: they are few, and all that
    says how people sound who act nothing. Raises ValueError where there is no act.
    """

    def __init__(
        self,
        acts: Iterable[SpokenAct],
        encoder: CompactEmotionEncoder,
        *,
        recorded: bool = False,
        recorded_neutral: float = 1.0,
    ) -> None:
        random = np.random.default_rng(0)
        rows, emotions, weights = [], [], []
        self.seconds = 0.0
        with torch.no_grad():
            for act in acts:
                audio = _audio(act)
                if recorded and random.random() < _RECORDED_SHARE:
                    audio = as_recorded(audio, random)
                sound = encoder.sound(emotion_waveform(audio))
                heard = [sound, *(_piece(sound, random) for _ in range(_PIECES))]
                rows.append(torch.cat([encoder.whole(each) for each in heard]))
                emotions.append(act.act.emotion)
                often = act.act.emotion == NEUTRAL and act.utterance.source in RECORDED_SOURCES
                weights.append(recorded_neutral if often else 1.0)
                self.seconds += act.seconds
        if not rows:
            raise ValueError("no acts to learn from; make some with `python -m facestream_models.corpus.emotional`")
        self._manners, self._emotions = torch.stack(rows), torch.tensor(emotions)
        self._chance = np.array(weights) / np.sum(weights)
        self._mean, self._spread = self._manners[:, 0].mean(dim=0), self._manners[:, 0].std(dim=0)

    @property
    def whole(self) -> Said:
        """All acts at their full length, as they are."""
        return Said(self._manners[:, 0], self._emotions)

    def draw(self, rows: int, random: np.random.Generator) -> Said:
        """Random acts: mostly all of an act, else a piece, a little moved."""
        acts = torch.from_numpy(random.choice(len(self._manners), size=rows, p=self._chance))
        piece = np.where(random.random(rows) < _WHOLE_SHARE, 0, random.integers(1, 1 + _PIECES, size=rows))
        manner = self._manners[acts, torch.from_numpy(piece)]
        far = _FARTHEST * self._spread
        manner = torch.maximum(torch.minimum(manner, self._mean + far), self._mean - far)
        noise = torch.from_numpy(random.normal(size=tuple(manner.shape)).astype(np.float32))
        return Said(manner + _MOVED_BY * self._spread * noise, self._emotions[acts])


def _audio(act: SpokenAct) -> Tensor:
    """What is heard of `act`: [1, 640 F] in -1..1, whole frames of its first ten seconds, silence behind its end."""
    samples = act.utterance.audio[: _LONGEST_FRAMES * FRAME_SAMPLES].astype(np.float32) / 32768.0
    return torch.from_numpy(np.pad(samples, (0, -len(samples) % FRAME_SAMPLES)))[None]


def _piece(sound: Tensor, random: np.random.Generator) -> Tensor:
    """A random piece of `sound` [1, 2 F, C] of 2 to 3.2 s, or all of it where it is shorter."""
    frames = sound.shape[1] // SOUND_PER_FEATURE
    length = min(frames, int(random.integers(_PIECE_FRAMES[0], _PIECE_FRAMES[1] + 1)))
    first = int(random.integers(frames - length + 1))
    return sound[:, SOUND_PER_FEATURE * first : SOUND_PER_FEATURE * (first + length)]
