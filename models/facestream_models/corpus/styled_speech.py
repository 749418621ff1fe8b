"""Lip-sync curves of an utterance in a speaker's own manner, as a face of 52 curves.

The rule curves of `coarticulation` are scaled by the traits of the speaker and by the emotion's scales. Scaling never
opens a closure: the jaw and `mouthClose` move together.
"""

import numpy as np
from numpy.typing import NDArray

from facestream.curves import CURVE_COUNT, INDEX, columns, sided
from facestream_models.corpus.coarticulation import CURVES, SAMPLES_PER_FRAME, contacts, speech_curves
from facestream_models.corpus.speaking_style import SpeakingStyle
from facestream_models.corpus.store import Utterance

Float64 = NDArray[np.float64]

_USUAL_PRESS = 0.30
_JAW_KNEE, _WIDEST_JAW = 0.65, 0.95
_LIPS = (
    "mouthStretchLeft", "mouthStretchRight", "mouthSmileLeft", "mouthSmileRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthShrugLower", "mouthDimpleLeft",
    "mouthDimpleRight",
)  # fmt: skip
_ONE_SIDED = sided("mouthStretch", "mouthSmile", "mouthLowerDown", "mouthUpperUp", "mouthDimple")
_SHIFT_SHARE = 0.5
"""Share of the asymmetry that shifts the whole mouth while it speaks."""


def seal_of(utterance: Utterance) -> Float64:
    """How far the lips must meet `[F]` at 50 Hz, 0..1 (p b m)."""
    frames = -(-len(utterance.audio) // SAMPLES_PER_FRAME)
    segments = (utterance.classes, utterance.starts, utterance.ends)
    return contacts(*segments, frames=frames)[:, 0].astype(np.float64)


def styled_speech(
    utterance: Utterance, style: SpeakingStyle, jaw_scale: Float64, lip_scale: Float64, speaking: Float64
) -> Float64:
    """Curves `[F, 52]` at 50 Hz, 0..1; `jaw_scale` and `lip_scale` [F] are what the emotion asks for."""
    frames = len(jaw_scale)
    rules = speech_curves(
        utterance.classes, utterance.starts, utterance.ends, audio=utterance.audio, frames=frames
    ).astype(np.float64)
    face = np.zeros((frames, CURVE_COUNT))
    for number, name in enumerate(CURVES):
        face[:, columns(name) if name in INDEX else sided(name)] = rules[:, number, None]

    jaw, close = INDEX["jawOpen"], INDEX["mouthClose"]
    shut = np.divide(face[:, close], face[:, jaw], out=np.zeros(frames), where=face[:, jaw] > 1e-6)
    face[:, jaw] = _limited(face[:, jaw] * style.jaw_scale * jaw_scale)
    face[:, close] = shut * face[:, jaw]
    face[:, columns(*_LIPS)] *= (style.lip_scale * lip_scale)[:, None]
    face[:, columns("mouthFunnel", "mouthPucker")] *= style.rounding_gain
    face[:, sided("mouthPress")] *= style.closure_press / _USUAL_PRESS

    asymmetry = style.mouth_asymmetry
    face[:, _ONE_SIDED[0::2]] *= 1.0 + asymmetry
    face[:, _ONE_SIDED[1::2]] *= 1.0 - asymmetry
    towards = "mouthLeft" if asymmetry > 0 else "mouthRight"
    face[:, INDEX[towards]] += _SHIFT_SHARE * abs(asymmetry) * speaking
    return np.clip(face, 0.0, 1.0)


def _limited(jaw: Float64) -> Float64:
    """Bends what is above .65 so that a loud, wide speaker comes near .95 and not beyond."""
    room = _WIDEST_JAW - _JAW_KNEE
    return np.where(jaw > _JAW_KNEE, _JAW_KNEE + room * np.tanh((jaw - _JAW_KNEE) / room), jaw)
