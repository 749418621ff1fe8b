"""How a person speaks with the face: traits that a synthetic speaker keeps through all utterances.

A speaker is a voice of the corpus and a persona. Everything about a speaker is a function of its name and the seed.
Source: speech-motion-data specification, section 8; resting face and voice offsets are this project's own.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAITS = (
    "jaw_scale", "lip_scale", "rounding_gain", "smile_bias", "mouth_asymmetry", "brow_gain", "closure_press",
    "head_amplitude", "head_tempo", "blinks_per_minute",
)  # fmt: skip
"""What a style encoder should find, in the order of `SpeakingStyle.traits`."""
_GAINS = ("jaw_scale", "lip_scale", "rounding_gain", "brow_gain", "head_amplitude", "head_tempo")
_IS_GAIN = np.isin(TRAITS, _GAINS)


@dataclass(frozen=True)
class SpeakingStyle:
    """Traits of one speaker.

    Gains (1 is the usual speaker): `jaw_scale` .6-1.4, `lip_scale` .7-1.3, `rounding_gain` .7-1.3, `brow_gain` .3-2,
    `head_amplitude` .3-2.5, `head_tempo` .7-1.4. `smile_bias` and `mouth_asymmetry` in curve weights, positive for
    more smile and for a mouth that does more on the left. `closure_press` .2-.5 is how hard lips press in p b m.
    The resting face wears `rest_brow` (positive: lifted, negative: lowered), `rest_squint` and `rest_frown`.
    `expressiveness` .5-1.2 is how much of an emotion the face shows, `habitual_side` (+1 left, -1 right) the side of
    one-sided expressions. `pitch_offset` in semitones and `tract_offset` tell personas of one voice apart by ear.
    """

    jaw_scale: float
    lip_scale: float
    rounding_gain: float
    smile_bias: float
    mouth_asymmetry: float
    brow_gain: float
    closure_press: float
    head_amplitude: float
    head_tempo: float
    blinks_per_minute: float
    rest_brow: float
    rest_squint: float
    rest_frown: float
    expressiveness: float
    habitual_side: int
    pitch_offset: float
    tract_offset: float

    @property
    def traits(self) -> NDArray[np.float32]:
        """The values of TRAITS `[10]`."""
        return np.array([getattr(self, name) for name in TRAITS], dtype=np.float32)


def even_traits(traits: NDArray[np.float32]) -> NDArray[np.float32]:
    """`traits` [..., 10] on scales along which equal steps are equally far: gains as logarithms, others as they are."""
    return np.where(_IS_GAIN, np.log(np.where(_IS_GAIN, traits, 1.0)), traits).astype(np.float32)


def speaker_of(voice: str, persona: int) -> str:
    """Name of a synthetic speaker: the voice that is heard most in `NAME*WEIGHT+NAME*WEIGHT`, and a persona."""
    parts = [part.partition("*") for part in voice.split("+")]
    heard_most = max(parts, key=lambda part: float(part[2] or 1.0))[0]
    return f"{heard_most}#{persona}"


def style_of(speaker: str, seed: int) -> SpeakingStyle:
    """The style of the speaker of that name; the same for the same seed."""
    random = np.random.default_rng([seed, zlib.crc32(speaker.encode())])

    def gain(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    return SpeakingStyle(
        jaw_scale=gain(0.6, 1.4),
        lip_scale=gain(0.7, 1.3),
        rounding_gain=gain(0.7, 1.3),
        smile_bias=float(random.normal(0.0, 0.1)),
        mouth_asymmetry=float(random.normal(0.0, 0.08)),
        brow_gain=gain(0.3, 2.0),
        closure_press=float(random.uniform(0.2, 0.5)),
        head_amplitude=gain(0.3, 2.5),
        head_tempo=gain(0.7, 1.4),
        blinks_per_minute=float(random.uniform(8.0, 28.0)),
        rest_brow=float(random.normal(0.0, 0.10)),
        rest_squint=float(abs(random.normal(0.0, 0.08))),
        rest_frown=float(abs(random.normal(0.0, 0.07))),
        expressiveness=gain(0.5, 1.2),
        habitual_side=int(random.choice([-1, 1])),
        pitch_offset=float(random.normal(0.0, 1.0)),
        tract_offset=float(random.normal(0.0, 0.02)),
    )
