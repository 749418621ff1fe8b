"""More voices than were recorded: the vocoder that acts an utterance makes another speaker of it on the way.

What tells an emotion from how a voice just is can only be learned over many voices. A shift of how large, high, dark,
breathy, quick and lively a voice is, the same for all that the act moves, makes one of each utterance.
"""

import numpy as np

from facestream_models.corpus.emotion_voice import Voice, VoiceShift

_LOWEST_HZ, _HIGHEST_HZ = 75.0, 290.0
"""Median pitches of speakers, as far as a voice is moved."""
_SIZE, _LARGEST_SIZE = 0.06, 0.14
_PITCH_WITH_SIZE, _PITCH, _FARTHEST_PITCH = 24.0, 1.5, 5.0
"""Semitones: a tract a tenth shorter goes with a voice 2.4 higher, give or take."""


def draw_other_voice(voice: Voice, random: np.random.Generator) -> VoiceShift:
    """Who else might have said `voice`: departures from its speaker, within what speakers are."""
    size = _limited(random.normal(0.0, _SIZE), _LARGEST_SIZE)
    pitch = _limited(_PITCH_WITH_SIZE * size + random.normal(0.0, _PITCH), _FARTHEST_PITCH)
    voiced = voice.f0[voice.f0 > 0]
    if len(voiced):
        down, up = 12.0 * np.log2(np.array([_LOWEST_HZ, _HIGHEST_HZ]) / np.median(voiced))
        pitch = float(np.clip(pitch, min(down, 0.0), max(up, 0.0)))
    return VoiceShift(
        pitch=pitch,
        tract=size,
        tilt=_limited(random.normal(0.0, 0.8), 1.8),
        breath=max(0.0, random.normal(0.0, 0.08)),
        pace=_limited(random.normal(0.0, 0.07), 0.15),
        melody=_limited(random.normal(0.0, 0.2), 0.4),
        pauses=_limited(random.normal(0.0, 0.2), 0.4),
    )


def both(first: VoiceShift, then: VoiceShift) -> VoiceShift:
    """One shift that does what two do one after the other: shares multiply, all else adds."""
    added = VoiceShift(*(one + other for one, other in zip(first, then, strict=True)))
    return added._replace(
        melody=_after(first.melody, then.melody),
        pace=_after(first.pace, then.pace),
        pauses=_after(first.pauses, then.pauses),
        tract=_after(first.tract, then.tract),
    )


def _after(share: float, further: float) -> float:
    return (1.0 + share) * (1.0 + further) - 1.0


def _limited(value: float, limit: float) -> float:
    return float(np.clip(value, -limit, limit))
