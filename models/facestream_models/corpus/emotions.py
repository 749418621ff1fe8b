"""The eight emotions, how strongly an utterance is acted, and when the emotion shows.

Names and order are those of the MEAD recordings. An act is one emotion at one of three intensities; some acts mix two
emotions. Voice (`emotion_voice`), face (`emotion_face`) and head (`head_motion`) all read the same `Act`, which is how
they stay linked.

Source: speech-motion-data specification, section 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

EMOTIONS = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt")
NEUTRAL = EMOTIONS.index("neutral")
INTENSITIES = (0.4, 0.7, 1.0)

MIXED_SHARE = 0.15
"""Share of the emotional acts that mix two emotions."""
_SECOND_SHARE = (0.25, 0.45)
_ONSET_S, _RELEASE_S = (0.3, 0.5), (0.5, 0.8)
_JITTER = 0.20


@dataclass(frozen=True)
class Act:
    """How one utterance is acted.

    `emotion` and `second` are indices into EMOTIONS; `share` (0 to below .5) is what the second one has of
    `intensity`. Raises ValueError for numbers outside of that.
    """

    emotion: int
    intensity: float
    second: int = NEUTRAL
    share: float = 0.0

    def __post_init__(self) -> None:
        for number in (self.emotion, self.second):
            if not 0 <= number < len(EMOTIONS):
                raise ValueError(f"emotion {number}: must lie in 0..{len(EMOTIONS) - 1} ({', '.join(EMOTIONS)})")
        if not 0.0 <= self.intensity <= 1.0 or not 0.0 <= self.share < 0.5:
            raise ValueError(f"intensity {self.intensity} must lie in 0..1 and share {self.share} in 0..0.5")

    @property
    def amounts(self) -> Float64:
        """How much of each emotion's full departure is shown `[8]`; that of neutral has no effect."""
        amounts = np.zeros(len(EMOTIONS))
        amounts[self.emotion] += self.intensity * (1.0 - self.share)
        amounts[self.second] += self.intensity * self.share
        return amounts


def draw_act(emotion: int, random: np.random.Generator) -> Act:
    """An act of `emotion` at a random intensity, sometimes mixed with another. Neutral stays pure."""
    intensity = float(random.choice(INTENSITIES))
    if emotion == NEUTRAL or random.random() >= MIXED_SHARE:
        return Act(emotion, intensity)
    others = [number for number in range(len(EMOTIONS)) if number not in (emotion, NEUTRAL)]
    return Act(emotion, intensity, int(random.choice(others)), float(random.uniform(*_SECOND_SHARE)))


def jitter(shape: int | tuple[int, ...], random: np.random.Generator) -> Float64:
    """Factors around 1 with a spread of 20 %, never negative."""
    return np.maximum(random.normal(1.0, _JITTER, shape), 0.0)


def course(times: Float64, speech: Sequence[tuple[float, float]], random: np.random.Generator) -> Float64:
    """How far the emotion has come at `times` [F] (seconds): 0 to 1, one onset and one release.

    It comes up to 1.2 s before the first of the `speech` stretches (start, end) and goes after the last one, so that
    many clips begin within it.
    """
    begin, finish = (speech[0][0], speech[-1][1]) if speech else (float(times[0]), float(times[-1]))
    onset, release = random.uniform(*_ONSET_S), random.uniform(*_RELEASE_S)
    up = (times - (begin - random.uniform(-0.1, 1.2))) / onset
    down = (times - (finish + random.uniform(-0.2, 0.6))) / release
    return soft_step(up) * (1.0 - soft_step(down))


def soft_step(share: Float64) -> Float64:
    """0 up to 0, 1 from 1 on, half a cosine between."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0)))
