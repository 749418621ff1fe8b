"""When a voice begins and ends, by the network's own probability of silence."""

from collections.abc import Iterator

from facestream.events import SpeechEnded, SpeechStarted
from facestream.serving.pipeline import SILENCE_EXTRA
from facestream.timebase import FrameClock
from facestream.types import Frames

BEGINS_AFTER_MS = 60
"""A voice must last this long, so that a click is none."""
ENDS_AFTER_MS = 300
"""Silence must last this long, so that a stop consonant or a breath between words is no end."""


class SpeechGate:
    """Follows the frames of one stream. Both events name the sample where the change began, not where it was sure."""

    def __init__(self, clock: FrameClock) -> None:
        self._clock = clock
        per_ms = clock.rate.fraction / 1000
        self._patience = {True: max(1, round(ENDS_AFTER_MS * per_ms)), False: max(1, round(BEGINS_AFTER_MS * per_ms))}
        self._is_speech = False
        self._changed_frames = 0

    def follow(self, frames: Frames) -> Iterator[SpeechStarted | SpeechEnded]:
        """Events that these frames bring; none where the model says nothing about silence."""
        silence = frames.extras.get(SILENCE_EXTRA)
        if silence is None:
            return
        for index, probability in enumerate(silence.tolist(), frames.first_index):
            if (probability < 0.5) is self._is_speech:
                self._changed_frames = 0
                continue
            self._changed_frames += 1
            if self._changed_frames >= self._patience[self._is_speech]:
                sample = self._clock.sample_of(index - self._changed_frames + 1)
                self._is_speech = not self._is_speech
                self._changed_frames = 0
                yield SpeechStarted(sample) if self._is_speech else SpeechEnded(sample)

    def finish(self, end_frame_index: int) -> Iterator[SpeechEnded]:
        """The stream ends before `end_frame_index`; a voice that still speaks ends with it."""
        if self._is_speech:
            self._is_speech = False
            yield SpeechEnded(self._clock.sample_of(end_frame_index - self._changed_frames))
