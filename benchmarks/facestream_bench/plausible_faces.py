"""Random faces that a person could make: what round trips and solvers are measured on."""

import numpy as np

from facestream.curves import CURVE_COUNT, INDEX, OPPOSED_PAIRS, columns, sided
from facestream.types import Float32

_SPEECH = (
    "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "jawForward", "cheekPuff", "tongueOut",
)  # fmt: skip
_SPEECH_SIDED = ("mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp", "mouthDimple")
_EMOTION_SIDED = (
    "mouthSmile", "mouthFrown", "eyeBlink", "eyeSquint", "eyeWide", "browDown", "browOuterUp", "cheekSquint",
    "noseSneer",
)  # fmt: skip
_SIDEWAYS = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))


def plausible_faces(count: int, rng: np.random.Generator) -> Float32:
    """Weights [count, 52]: some speech shapes, some emotion, sides nearly alike, gaze at rest.

    mouthClose never exceeds jawOpen, opposed shapes are never both active.
    """
    faces = np.zeros((count, CURVE_COUNT))
    faces[:, INDEX["jawOpen"]] = rng.beta(1.2, 3, count)
    faces[:, INDEX["mouthClose"]] = faces[:, INDEX["jawOpen"]] * _sometimes(rng, (count,), 0.3)
    faces[:, columns(*_SPEECH)] = _sometimes(rng, (count, len(_SPEECH)), 0.25)
    for names, chance in ((_SPEECH_SIDED, 0.25), (_EMOTION_SIDED, 0.2)):
        level = _sometimes(rng, (count, len(names)), chance)
        for name, column in zip(names, level.T, strict=True):
            faces[:, sided(name)] = column[:, None] * rng.uniform(0.6, 1, (count, 2))
    faces[:, INDEX["browInnerUp"]] = _sometimes(rng, (count,), 0.2)
    for first, second in _SIDEWAYS:
        signed = _sometimes(rng, (count,), 0.2) * rng.choice([-1, 1], count)
        faces[:, INDEX[first]], faces[:, INDEX[second]] = np.clip(signed, 0, None), np.clip(-signed, 0, None)
    assert not any((faces[:, INDEX[a]] * faces[:, INDEX[b]]).any() for a, b in OPPOSED_PAIRS)
    return faces.astype(np.float32)


def moving_faces(count: int, rng: np.random.Generator, *, frames_between: int = 6) -> Float32:
    """A run of `count` frames that eases from one plausible face to the next."""
    keys = plausible_faces(count // frames_between + 2, rng)
    place = np.arange(count) / frames_between
    first, share = place.astype(np.int64), (place % 1)[:, None]
    eased = share * share * (3 - 2 * share)
    frames: Float32 = (keys[first] * (1 - eased) + keys[first + 1] * eased).astype(np.float32)
    for a, b in _SIDEWAYS:
        both = np.minimum(frames[:, INDEX[a]], frames[:, INDEX[b]])
        frames[:, INDEX[a]] -= both
        frames[:, INDEX[b]] -= both
    return frames


def _sometimes(rng: np.random.Generator, shape: tuple[int, ...], chance: float) -> np.ndarray:
    """Strengths 0..1, mostly below one half, zero where the shape stays at rest."""
    strengths: np.ndarray = rng.beta(1.2, 1.8, shape) * (rng.random(shape) < chance)
    return strengths
