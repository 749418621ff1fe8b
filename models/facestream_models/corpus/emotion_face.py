"""What an emotion puts on the face: additive ARKit poses, and how they live with speech.

The poses follow the prototypes of Ekman and Friesen (FACS). An act shows each component with its own strength, now and
then hardly at all, since people seldom show a whole prototype. `wear` adds the pose to a speaking face; a closure of
the lips wins over it.

Source: speech-motion-data specification, section 8.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream.curves import CURVE_COUNT, INDEX, MIRROR_PAIRS, columns, sided
from facestream_models.corpus.emotions import EMOTIONS, Act, jitter
from facestream_models.corpus.prosody import Prosody, smoothed
from facestream_models.corpus.speaking_style import SpeakingStyle

Float64 = NDArray[np.float64]

POSES: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.55, "cheekSquint": 0.45, "eyeSquint": 0.25, "mouthDimple": 0.15, "mouthUpperUp": 0.08},
    "sad": {"browInnerUp": 0.6, "mouthFrown": 0.45, "mouthShrugLower": 0.2, "eyeSquint": 0.12, "eyeLookDown": 0.15},
    "angry": {
        "browDown": 0.7, "noseSneer": 0.3, "eyeSquint": 0.3, "mouthFrown": 0.15, "mouthUpperUp": 0.1,
        "mouthLowerDown": 0.1, "jawForward": 0.12,
    },
    "fear": {"browInnerUp": 0.6, "browOuterUp": 0.25, "eyeWide": 0.6, "mouthStretch": 0.35},
    "disgusted": {
        "noseSneer": 0.65, "mouthUpperUp": 0.35, "browDown": 0.35, "cheekSquint": 0.3, "mouthShrugUpper": 0.15,
        "mouthFrown": 0.2,
    },
    "surprised": {"browInnerUp": 0.6, "browOuterUp": 0.7, "eyeWide": 0.6},
    "contempt": {"mouthSmile/near": 0.35, "mouthDimple/near": 0.4, "eyeSquint/near": 0.15, "browOuterUp/far": 0.2},
}  # fmt: skip
"""Weights at full intensity. A name without side stands for both sides, `/near` for the speaker's habitual side."""

PAUSE_POSES: dict[str, dict[str, float]] = {"angry": {"mouthPress": 0.15}, "surprised": {"jawOpen": 0.1}}
"""Worn between phrases only."""

MOUTH_SCALES: dict[str, tuple[float, float]] = {
    "neutral": (1.0, 1.0), "happy": (1.05, 1.05), "sad": (0.8, 0.85), "angry": (1.15, 1.2), "fear": (1.0, 1.1),
    "disgusted": (0.95, 1.05), "surprised": (1.15, 1.0), "contempt": (0.9, 0.9),
}  # fmt: skip
"""How much wider the jaw opens and the lips move in speech, at full intensity."""

_ROUNDING_LOST_TO_SMILE = 0.35
_APEX_SWING = 0.20
_SIDE_GAINS = (0.9, 1.1)
_COMPONENT_SPREAD = 0.40
_SKIPPED_SHARE, _SKIPPED_STRENGTH = 0.15, 0.2

# Those of section 8, and what parts closed lips on the open head: 3.5 mm at full mouthShrugUpper, 1.4 mm at jawForward.
_PARTS_LIPS = [*sided("mouthUpperUp", "mouthLowerDown"), *columns("jawOpen", "jawForward", "mouthShrugUpper")]
_SMILE, _FROWN = sided("mouthSmile"), sided("mouthFrown")
_ROUNDING = columns("mouthFunnel", "mouthPucker")
_CLOSE, _JAW = INDEX["mouthClose"], INDEX["jawOpen"]


class Expression(NamedTuple):
    """What one act puts on: `pose` and `pause_pose` [52], `jaw_scale` and `lip_scale`, all at the act's intensity."""

    pose: Float64
    pause_pose: Float64
    jaw_scale: float
    lip_scale: float


def draw_expression(act: Act, style: SpeakingStyle, random: np.random.Generator) -> Expression:
    """The expression of `act` on the face of a speaker of that style."""
    amounts = act.amounts * style.expressiveness
    pose, pause_pose = np.zeros(CURVE_COUNT), np.zeros(CURVE_COUNT)
    for name, amount in zip(EMOTIONS, amounts, strict=True):
        for table, target in ((POSES, pose), (PAUSE_POSES, pause_pose)):
            for curve, weight in table.get(name, {}).items():
                strength = float(jitter(1, random)[0]) * float(np.exp(random.normal(0.0, _COMPONENT_SPREAD)))
                if random.random() < _SKIPPED_SHARE:
                    strength *= _SKIPPED_STRENGTH
                target[_columns_of(curve, style.habitual_side)] += amount * weight * strength
    for left, right in MIRROR_PAIRS:
        pose[INDEX[left]] *= random.uniform(*_SIDE_GAINS)
        pose[INDEX[right]] *= random.uniform(*_SIDE_GAINS)
    scales = 1.0 + amounts @ (np.array([MOUTH_SCALES[name] for name in EMOTIONS]) - 1.0)
    return Expression(np.minimum(pose, 1.0), pause_pose, float(scales[0]), float(scales[1]))


def strength_over_time(course: Float64, prosody: Prosody) -> Float64:
    """`course` [F] of the emotion with an apex that follows loudness by up to 20 %."""
    envelope = smoothed(prosody.loudness, 0.15)
    spread = max(float(envelope.std()), 1e-3)
    swing = np.clip((envelope - envelope.mean()) / (2.0 * spread), -1.0, 1.0)
    return np.asarray(course * (1.0 + _APEX_SWING * swing))


def wear(face: Float64, expression: Expression, strength: Float64, speaking: Float64, seal: Float64) -> Float64:
    """`face` [F, 52] with the expression at `strength` [F], values 0..1.

    `speaking` [F] is 1 within phrases, `seal` [F] 1 where the lips must meet: there nothing that parts them is added.
    """
    added = strength[:, None] * expression.pose + (strength * (1.0 - speaking))[:, None] * expression.pause_pose
    added[:, _PARTS_LIPS] *= (1.0 - seal)[:, None]
    worn = np.clip(face + added, 0.0, 1.0)
    # A mouth can not smile and frown at once; what is left is the stronger one.
    worn[:, _FROWN] = np.maximum(worn[:, _FROWN] - 0.7 * worn[:, _SMILE], 0.0)
    smile = worn[:, _SMILE].mean(axis=1)
    worn[:, _ROUNDING] *= (1.0 - _ROUNDING_LOST_TO_SMILE * smile)[:, None]
    return sealed(worn, seal)


def sealed(face: Float64, seal: Float64) -> Float64:
    """`face` [F, 52] with the lips together where `seal` [F] is 1: the last word over every layer."""
    closed = face.copy()
    jaw = closed[:, _JAW]
    closed[:, _CLOSE] = np.clip(closed[:, _CLOSE] * (1.0 - seal) + jaw * seal, 0.0, jaw)
    return closed


def _columns_of(curve: str, habitual_side: int) -> list[int]:
    name, _, place = curve.partition("/")
    if place:
        side = habitual_side if place == "near" else -habitual_side
        return columns(name + ("Left" if side > 0 else "Right"))
    return columns(name) if name in INDEX else sided(name)
