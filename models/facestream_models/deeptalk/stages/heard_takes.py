"""What frozen encoders hear of takes, heard once: all that the generator's training needs of the sound.

Content is that of the whole take from its beginning, as in use; a window cut out of it has heard what came before.
Emotion is that of the whole take, and of pieces of it as short as a live stream hears them.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.deeptalk.audio import FRAME_SAMPLES
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian, unit
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows

_PIECES = 2
_PIECE_FRAMES = (50, 80)
CLEAR = 0.7
"""Acts of at least this intensity make the presets."""


class HeardTakes:
    """`hear_content` maps audio [1, 640 F] to [1, F, C], `hear_emotion` to the Gaussian of its emotion."""

    def __init__(
        self,
        takes: TakeWindows,
        hear_content: Callable[[Tensor], Tensor],
        hear_emotion: Callable[[Tensor], EmotionGaussian],
    ) -> None:
        random = np.random.default_rng(0)
        self._content: list[Tensor] = []
        gaussians: list[EmotionGaussian] = []
        clear: list[tuple[int, Tensor]] = []
        with torch.no_grad():
            for windows in takes.whole():
                self._content.append(hear_content(windows.audio)[0].half())
                whole = hear_emotion(windows.audio)
                pieces = [hear_emotion(_piece(windows.audio, random)) for _ in range(_PIECES)]
                gaussians.append(EmotionGaussian(*(torch.cat(parts) for parts in zip(whole, *pieces, strict=True))))
                if float(windows.intensity) >= CLEAR:
                    clear.append((int(windows.emotion), whole.mean))
        self._emotion = EmotionGaussian(*(torch.stack(parts) for parts in zip(*gaussians, strict=True)))
        self.presets = unit(torch.stack([_mean_of(number, clear) for number in range(len(EMOTIONS))]))
        """Mean of the means [8, D] of clear acts of each emotion, of unit length."""

    def content(self, windows: Windows) -> Tensor:
        """[B, F, C] of `windows`; beyond the end of a take the last frame goes on."""
        frames = windows.motion.shape[1]
        rows = []
        for take, first in zip(windows.take.tolist(), windows.first.tolist(), strict=True):
            row = self._content[take][first : first + frames]
            rows.append(torch.cat([row, row[-1:].expand(frames - len(row), -1)]))
        return torch.stack(rows).float()

    def emotion(self, windows: Windows, random: np.random.Generator) -> EmotionGaussian:
        """The emotion heard in each window's take: in all of it or in one of its pieces, by chance."""
        choice = torch.from_numpy(random.integers(1 + _PIECES, size=len(windows.take)))
        return EmotionGaussian(*(part[windows.take, choice] for part in self._emotion))


def _mean_of(emotion: int, means: list[tuple[int, Tensor]]) -> Tensor:
    """Mean [D] of the `means` [1, D] that belong to `emotion`; zeros where there is none."""
    own = [mean for number, mean in means if number == emotion] or [torch.zeros_like(means[0][1])]
    return torch.cat(own).mean(dim=0)


def _piece(audio: Tensor, random: np.random.Generator) -> Tensor:
    """A random piece of `audio` [1, 640 F] of 2 to 3.2 s, or all of it where it is shorter."""
    frames = audio.shape[1] // FRAME_SAMPLES
    length = min(frames, int(random.integers(_PIECE_FRAMES[0], _PIECE_FRAMES[1] + 1)))
    first = int(random.integers(frames - length + 1))
    return audio[:, first * FRAME_SAMPLES : (first + length) * FRAME_SAMPLES]
