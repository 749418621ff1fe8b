"""What a speaking face does besides lips and emotion: raises its brows on accents, frowns in thought, never freezes.

These signals are not emotion, and a face that showed brows only for emotions would teach a network the wrong link.
Sources: speech-motion-data specification, section 8 (brow gain, slow noise); conversational signals after Ekman 1979;
their rates are this project's choices.
"""

import numpy as np
from numpy.typing import NDArray

from facestream.curves import CURVE_COUNT, INDEX, sided
from facestream_models.corpus.emotions import soft_step
from facestream_models.corpus.prosody import Prosody, smoothed
from facestream_models.corpus.speaking_style import SpeakingStyle

Float64 = NDArray[np.float64]

_RAISED_ACCENTS = 0.4
"""Share of the accents that lift the brows."""
_LIFT = (0.1, 0.35)
_THOUGHTS_PER_S = 0.12
_THOUGHT_S, _THOUGHT_DEPTH = (0.5, 1.4), (0.10, 0.35)
_NOISE, _NOISE_S = 0.03, 0.35

_RAISE = [INDEX["browInnerUp"], *sided("browOuterUp")]
_LOWER, _SQUINT, _SMILE, _FROWN = (sided(name) for name in ("browDown", "eyeSquint", "mouthSmile", "mouthFrown"))
_RESTLESS = [*_RAISE, *_LOWER, *_SQUINT, *_SMILE, *_FROWN, *sided("cheekSquint", "noseSneer", "eyeWide")]


def conversation_face(prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """What to add to the speaking face `[F, 52]`; negative where a speaker's mouth hangs or noise takes away."""
    added = np.zeros((len(prosody.times), CURVE_COUNT))
    _rest(added, style)
    times = prosody.times
    for time, strength in prosody.accents:
        if random.random() < _RAISED_ACCENTS:
            lift = random.uniform(*_LIFT) * style.brow_gain * (0.5 + 0.5 * strength)
            shape = _rise_and_fall(times, time - 0.05, random.uniform(0.12, 0.2), 0.08, random.uniform(0.25, 0.4))
            added[:, _RAISE] += np.outer(shape, lift * random.uniform(0.7, 1.2, 3))
    for start in np.flatnonzero(random.random(len(times)) < _THOUGHTS_PER_S / 50.0) / 50.0:
        depth = random.uniform(*_THOUGHT_DEPTH) * style.brow_gain
        shape = _rise_and_fall(times, start, 0.25, random.uniform(*_THOUGHT_S), 0.4)
        added[:, _LOWER] += (depth * shape)[:, None]
        added[:, _SQUINT] += (0.4 * depth * shape)[:, None]
    added[:, _RESTLESS] += _slow_noise(len(times), len(_RESTLESS), random)
    return added


def _rest(added: Float64, style: SpeakingStyle) -> None:
    added[:, _SMILE] += style.smile_bias
    added[:, _FROWN] += style.rest_frown + max(0.0, -0.5 * style.smile_bias)
    added[:, _SQUINT] += style.rest_squint
    added[:, _RAISE if style.rest_brow > 0 else _LOWER] += abs(style.rest_brow)


def _rise_and_fall(times: Float64, start: float, rise: float, hold: float, fall: float) -> Float64:
    down = start + rise + hold
    return soft_step((times - start) / rise) * (1.0 - soft_step((times - down) / fall))


def _slow_noise(frames: int, count: int, random: np.random.Generator) -> Float64:
    """Noise `[frames, count]` with a standard deviation of .03 that changes within a third of a second."""
    margin = 60
    drawn = random.normal(size=(count, frames + 2 * margin))
    slow = np.stack([smoothed(row, _NOISE_S) for row in drawn])[:, margin : margin + frames]
    # A Gaussian filter of s frames keeps 1 / (2 s sqrt(pi)) of the variance of white noise.
    return np.asarray(_NOISE * slow.T * np.sqrt(2.0 * np.sqrt(np.pi) * _NOISE_S * 50.0))
