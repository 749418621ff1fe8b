"""Emotions of an ACE call: ten names by time code, acted through the presets of a model that acts.

An emotion of the client takes the place of the one that is heard in the speech, from its time code on. What several
names and amounts ask for is a point between the presets: their vectors weighted by amount, the rest of it neutral.
"""

import bisect
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from facestream.acting import SPEECH, Abilities, ActingChange, Emotion
from facestream.audio.resample import resampled_length
from facestream.nvidia_ace.a2f.v1.a2f_pb2 import EmotionParameters, EmotionPostProcessingParameters
from facestream.nvidia_ace.emotion_with_timecode.v1.emotion_with_timecode_pb2 import EmotionWithTimeCode
from facestream.transports.ace_wire import finite

EMOTIONS = (
    "amazement", "anger", "cheekiness", "disgust", "fear", "grief", "joy", "outofbreath", "pain", "sadness",
)  # fmt: skip
"""Names of the interface."""

_ALSO_SPELT = {"out_of_breath": "outofbreath"}  # by Maya-ACE 1.x
_PRESETS = {
    "amazement": "surprised",
    "anger": "angry",
    "cheekiness": "contempt",
    "disgust": "disgusted",
    "fear": "fear",
    "grief": "sad",
    "joy": "happy",
    "sadness": "sad",
}
"""Which preset of a model an emotion is acted with; being out of breath and pain have none."""
_NEUTRAL = "neutral"

_DEFAULT_STRENGTH, _DEFAULT_MOST = 0.6, 3
"""NVIDIA's, for fields that are not set."""
_ENTRIES_BOUND = 10_000
"""Emotions of one call that may wait for their time."""


@dataclass(frozen=True)
class EmotionRules:
    """What becomes of the client's emotions. `counts` is whether they count at all; `strength` 0..1 how far they lead
    away from neutral; `most` how many act at a time, the strongest ones.
    """

    counts: bool = True
    strength: float = _DEFAULT_STRENGTH
    most: int = _DEFAULT_MOST


@dataclass(frozen=True)
class EmotionWishes:
    """What a header asks of emotions; `remarks` are what its client should know."""

    rules: EmotionRules
    beginning: Mapping[str, float]
    remarks: tuple[str, ...]


def emotion_wishes_of(rules: EmotionPostProcessingParameters, parameters: EmotionParameters) -> EmotionWishes:
    """Everything of both messages that has a meaning here."""
    strength = rules.emotion_strength if rules.HasField("emotion_strength") else _DEFAULT_STRENGTH
    most = rules.max_emotions if rules.HasField("max_emotions") else _DEFAULT_MOST
    share = rules.preferred_emotion_strength if rules.HasField("preferred_emotion_strength") else 1.0
    enabled = rules.enable_preferred_emotion or not rules.HasField("enable_preferred_emotion")
    held = _DEFAULT_STRENGTH if math.isnan(strength) else min(max(strength, 0.0), 1.0)
    remarks = []
    if held != strength:
        remarks.append(f"emotion_strength: {strength:g} is taken as {held:g} (0 to 1)")
    if not 1 <= most <= 6:
        remarks.append(f"max_emotions: {most} is taken as {min(max(most, 1), 6)} (1 to 6)")
    unused = [name for name in ("emotion_contrast", "live_blend_coef") if rules.HasField(name)]
    unused += ["live_transition_time"] if parameters.HasField("live_transition_time") else []
    if unused:
        remarks.append(f"not used: {', '.join(unused)}")
    if enabled and 0 < share < 1:
        remarks.append(f"preferred_emotion_strength: {share:g} is taken as 1: an emotion that is given is not mixed")
    if not enabled and parameters.beginning_emotion:
        remarks.append("beginning_emotion is not used where preferred emotions are switched off")
    return EmotionWishes(
        EmotionRules(enabled and not share <= 0, held, min(max(most, 1), 6)),
        dict(parameters.beginning_emotion) if enabled else {},
        tuple(remarks),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    sample: int
    asked: Mapping[str, float] = field(compare=False)


class EmotionTimeline:
    """Emotions in the order of their moments, whatever order they come in. Used on the event loop only."""

    def __init__(self, rules: EmotionRules, abilities: Abilities | None, sample_rate_hz: int) -> None:
        self._rules = rules
        self._rate_hz = sample_rate_hz
        self._presets = abilities.presets if abilities is not None else {}
        self._step_samples = abilities.step_samples if abilities is not None else 1
        self._waiting: list[_Entry] = []
        self._acted_since = -1
        self._acted: Mapping[str, float] | None = None
        self._history: deque[_Entry] = deque()
        self._has_remarked = False

    def begin(self, emotion: Mapping[str, float]) -> str | None:
        """Act so from the start on, until another emotion's time comes. As `add` otherwise."""
        return self.add([EmotionWithTimeCode(emotion=emotion)] if emotion else [])

    def add(self, entries: Iterable[EmotionWithTimeCode]) -> str | None:
        """Keep emotions until their time; a remark, once, where the model has no use for them."""
        remark = None
        for entry in entries:
            asked = _amounts(entry.emotion)
            remark = remark or self._remark(asked)
            if math.isfinite(entry.time_code) and len(self._waiting) < _ENTRIES_BOUND:
                sample = math.ceil(min(max(entry.time_code, 0.0), 1e6) * self._rate_hz)
                bisect.insort_right(self._waiting, _Entry(sample, asked), key=lambda one: one.sample)
        return remark

    def due(self, first_sample: int, end_sample: int) -> list[tuple[int, ActingChange]]:
        """Changes of acting that the samples from `first_sample` bring, each with its sample.

        Moments that are over act from `first_sample` on, unless a later one acts already.
        """
        begun = bisect.bisect_left(self._waiting, end_sample, key=lambda one: one.sample)
        due, self._waiting = self._waiting[:begun], self._waiting[begun:]
        if not self._acts:
            return []
        # of those that act from one step of the model on, only the last one can be seen
        by_step = {
            self._step(max(entry.sample, first_sample)): entry for entry in due if entry.sample >= self._acted_since
        }
        changes = []
        for entry in by_step.values():
            self._acted_since = entry.sample
            if entry.asked != self._acted:
                self._acted = entry.asked
                sample = max(entry.sample, first_sample)
                self._history.append(_Entry(sample, entry.asked))
                changes.append((sample, ActingChange(emotion=self._emotion(entry.asked))))
        return changes

    def told_at(self, sample: int) -> tuple[Mapping[str, float], Mapping[str, float]] | None:
        """What was asked for at a sample, and how it is acted; `None` where the speech's own emotion is followed.

        Samples must not go back.
        """
        while len(self._history) > 1 and self._history[1].sample <= sample:
            self._history.popleft()
        if not self._history or self._history[0].sample > sample:
            return None
        asked = self._history[0].asked
        acted = self._strongest(asked)
        whole = {name: self._rules.strength * acted.get(name, 0.0) for name in EMOTIONS}
        return {name: asked.get(name, 0.0) for name in EMOTIONS}, whole

    @property
    def _acts(self) -> bool:
        return bool(self._presets) and self._rules.counts

    def _remark(self, asked: Mapping[str, float]) -> str | None:
        if self._has_remarked or not asked:
            return None
        lacking = sorted(name for name in asked if _PRESETS.get(name) not in self._presets)
        remark = None
        if not self._presets:
            remark = "emotions are not used: the model of this call does not act"
        elif not self._rules.counts:
            remark = "emotions are not used: preferred emotions are switched off, those of the speech are followed"
        elif lacking:
            remark = f"emotions without a preset here, left out: {', '.join(lacking)}"
        self._has_remarked = remark is not None
        return remark

    def _step(self, sample: int) -> int:
        """Number of the first step of the model that begins at or behind a sample."""
        return -(-resampled_length(sample, self._rate_hz) // self._step_samples)

    def _strongest(self, asked: Mapping[str, float]) -> Mapping[str, float]:
        named = {name: amount for name, amount in asked.items() if _PRESETS.get(name) in self._presets}
        strongest = sorted(named, key=lambda name: -named[name])[: self._rules.most]
        return {name: named[name] for name in strongest}

    def _emotion(self, asked: Mapping[str, float]) -> Emotion | str:
        amounts = {name: self._rules.strength * amount for name, amount in self._strongest(asked).items()}
        parts = [(self._presets[_PRESETS[name]], amount) for name, amount in amounts.items()]
        if _NEUTRAL in self._presets:
            parts.append((self._presets[_NEUTRAL], max(0.0, 1.0 - sum(amounts.values()))))
        if not any(amount for _, amount in parts):
            return SPEECH
        vector = np.stack([amount * preset.mean for preset, amount in parts]).sum(axis=0)
        # presets that lie opposite each other may leave nothing: then the strongest is taken alone
        return Emotion(vector) if np.linalg.norm(vector) > 1e-3 else max(parts, key=lambda part: part[1])[0]


def _amounts(emotion: Mapping[str, float]) -> dict[str, float]:
    """Amounts above 0 by name, as the interface spells them; unknown names are left out."""
    named = {_ALSO_SPELT.get(name, name): min(max(value, 0.0), 1.0) for name, value in finite(emotion).items()}
    return {name: named[name] for name in EMOTIONS if named.get(name, 0.0) > 0.0}
