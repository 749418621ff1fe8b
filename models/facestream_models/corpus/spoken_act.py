"""An act that is heard: an utterance said again in an emotion by a speaker. `emotional_take` gives it a face."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.emotion_voice import Voice, draw_shift, say_again
from facestream_models.corpus.emotions import EMOTIONS, NEUTRAL, Act, draw_act
from facestream_models.corpus.other_voice import both, draw_other_voice
from facestream_models.corpus.speaking_style import style_of
from facestream_models.corpus.store import Utterance


@dataclass(frozen=True, eq=False)
class SpokenAct:
    """`utterance` holds the changed voice with its phone times, and the source that its voice came from."""

    utterance: Utterance
    act: Act
    speaker: str

    @property
    def key(self) -> str:
        return self.utterance.key

    @property
    def seconds(self) -> float:
        return self.utterance.seconds


def take_key(utterance: Utterance, emotion: int, visit: int) -> str:
    """Key of the take of `utterance` in that emotion on that visit."""
    return f"{utterance.key}-{EMOTIONS[emotion]}-{visit}"


def plain_key(utterance: Utterance) -> str:
    """Key of `utterance` as it is."""
    return f"{utterance.key}-plain"


def chance_of(key: str, speaker: str, seed: int) -> np.random.Generator:
    """All that chance decides about the take of that key by that speaker."""
    return np.random.default_rng([seed, zlib.crc32(key.encode()), zlib.crc32(speaker.encode())])


def say_act(
    voice: Voice,
    emotion: int,
    visit: int,
    speaker: str,
    seed: int,
    random: np.random.Generator,
    other_voices: float = 0.0,
) -> tuple[SpokenAct, NDArray[np.float64]]:
    """The utterance in `emotion` (index into EMOTIONS) by `speaker`, and its F0 every 5 ms.

    `random` is that of `chance_of`; it decides, too, whether it is one of the share `other_voices` in another voice
    (`other_voice`).
    """
    act, style = draw_act(emotion, random), style_of(speaker, seed)
    shift = draw_shift(act, random)
    shift = shift._replace(pitch=shift.pitch + style.pitch_offset, tract=shift.tract + style.tract_offset)
    if other_voices and random.random() < other_voices:
        shift = both(shift, draw_other_voice(voice, random))
    spoken, f0 = say_again(voice, shift, random)
    return SpokenAct(replace(spoken, key=take_key(voice.utterance, emotion, visit)), act, speaker), f0


def as_it_is(utterance: Utterance, speaker: str) -> SpokenAct:
    """Speech that nobody acted: neutral."""
    return SpokenAct(replace(utterance, key=plain_key(utterance), posteriors=None), Act(NEUTRAL, 1.0), speaker)
