"""Face and blendshape parameters of an ACE call: what is honoured, and words about what is not.

A value never fails a call. One beyond its range is taken as the nearest within, one that has no meaning here is left
out, and both are told in one status.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX, sided
from facestream.nvidia_ace.a2f.v1.a2f_pb2 import BlendShapeParameters, FaceParameters
from facestream.polish.options import MAX_MOUTH_STRENGTH, PolishOptions
from facestream.transports.ace_wire import BLEND_SHAPES, finite
from facestream.types import Float32

RANGES = {
    "lowerFaceStrength": (0.0, 1.0, MAX_MOUTH_STRENGTH),
    "upperFaceStrength": (0.0, 1.0, 2.0),
    "skinStrength": (0.0, 1.0, 2.0),
    "eyelidOpenOffset": (-1.0, 0.0, 1.0),
    "blinkStrength": (0.0, 1.0, 2.0),
    "tongueStrength": (0.0, 1.0, 2.0),
    "inputStrength": (0.0, 1.0, 4.0),
}
"""Face parameters that are honoured: least, default and largest value. NVIDIA's ranges where it documents one."""

_WITHOUT_MEANING = {
    "upperFaceSmoothing": 0.0,
    "lowerFaceSmoothing": 0.0,
    "faceMaskLevel": None,
    "faceMaskSoftness": None,
    "lipOpenOffset": 0.0,
    "blinkOffset": 0.0,
    "tongueHeightOffset": 0.0,
    "tongueDepthOffset": 0.0,
}
"""Face parameters that are not, each with the value that asks for nothing."""

_UPPER = [INDEX[name] for name in ARKIT_NAMES if name.startswith(("brow", "cheekSquint", "noseSneer", "eyeSquint"))]
_UPPER += sided("eyeWide")
_LIDS, _WIDE, _TONGUE = sided("eyeBlink"), sided("eyeWide"), [INDEX["tongueOut"]]
_LARGEST = float(np.finfo(np.float32).max)
_NAMES_TOLD = 12


@dataclass(frozen=True, eq=False)
class Shaping:
    """What becomes of weights `[F, C]`: gains and rest pose of the lids within 0..1, then the client's own arithmetic.

    `gains`, `multipliers` and `offsets` are `[C]`; `lid_offset` -1..1 shuts or opens the lids.
    """

    gains: Float32 = field(default_factory=lambda: np.ones(CURVE_COUNT, np.float32))
    lid_offset: float = 0.0
    multipliers: Float32 = field(default_factory=lambda: np.ones(CURVE_COUNT, np.float32))
    offsets: Float32 = field(default_factory=lambda: np.zeros(CURVE_COUNT, np.float32))
    clamps: bool = False

    def apply(self, weights: Float32) -> Float32:
        """New weights, finite; beyond 0..1 only where multipliers and offsets lead there and `clamps` is off."""
        shaped = np.clip(weights * self.gains, 0.0, 1.0)
        if self.lid_offset < 0:
            shaped[:, _LIDS] -= self.lid_offset * (1.0 - shaped[:, _LIDS])
        elif self.lid_offset > 0:
            shaped[:, _WIDE] += self.lid_offset * (1.0 - shaped[:, _WIDE])
        # in float64, so that an outcome beyond float32 is held at its end and not infinite
        outcome = shaped.astype(np.float64) * self.multipliers + self.offsets
        least, most = (0.0, 1.0) if self.clamps else (-_LARGEST, _LARGEST)
        held: Float32 = np.clip(outcome, least, most).astype(np.float32)
        return held


@dataclass(frozen=True)
class FaceWishes:
    """What a call asks of its face. `remarks` are what its client should know."""

    polish: PolishOptions
    shaping: Shaping
    input_gain: float
    remarks: tuple[str, ...]


def face_wishes_of(face: FaceParameters, blendshapes: BlendShapeParameters) -> FaceWishes:
    """Everything of both messages that has a meaning here."""
    remarks: list[str] = []
    asked = finite(face.float_params)
    values = _within_ranges(asked, remarks)
    unused = [name for name, neutral in _WITHOUT_MEANING.items() if name in asked and asked[name] != neutral]
    unused += sorted(face.float_params.keys() - asked.keys() - _WITHOUT_MEANING.keys())  # no numbers
    unused += sorted(asked.keys() - RANGES.keys() - _WITHOUT_MEANING.keys())
    unused += sorted((*face.integer_params, *face.float_array_params))
    multipliers = _by_curve(blendshapes.bs_weight_multipliers, 1.0, unused)
    offsets = _by_curve(blendshapes.bs_weight_offsets, 0.0, unused)
    if unused:
        remarks.append(f"not used: {_listed(unused)}")

    gains = np.ones(CURVE_COUNT, np.float32)
    gains[_UPPER] = values["skinStrength"] * values["upperFaceStrength"]
    gains[_LIDS] = values["blinkStrength"]
    gains[_TONGUE] = values["tongueStrength"]
    clamps = blendshapes.enable_clamping_bs_weight
    shaping = Shaping(gains, values["eyelidOpenOffset"], multipliers, offsets, clamps)
    mouth_strength = min(values["skinStrength"] * values["lowerFaceStrength"], MAX_MOUTH_STRENGTH)
    polish = PolishOptions(mouth_strength=mouth_strength, blinks=values["blinkStrength"] > 0)
    return FaceWishes(polish, shaping, values["inputStrength"], tuple(remarks))


def _within_ranges(asked: Mapping[str, float], remarks: list[str]) -> dict[str, float]:
    values = {}
    for name, (least, default, most) in RANGES.items():
        wanted = asked.get(name, default)
        values[name] = min(max(wanted, least), most)
        if values[name] != wanted:
            remarks.append(f"{name}: {wanted:g} is taken as {values[name]:g} ({least:g} to {most:g})")
    return values


def _by_curve(asked: Mapping[str, float], neutral: float, unused: list[str]) -> Float32:
    numbers = finite(asked)
    unknown = [name for name in asked if name not in numbers or (name not in BLEND_SHAPES and asked[name] != neutral)]
    unused += sorted(unknown)
    return np.array([numbers.get(name, neutral) for name in BLEND_SHAPES], np.float32)


def _listed(names: list[str]) -> str:
    told = ", ".join(repr(name[:40]) if len(name) > 40 else name for name in names[:_NAMES_TOLD])
    return told if len(names) <= _NAMES_TOLD else f"{told} and {len(names) - _NAMES_TOLD} more"
