"""Timed phones between a synthesiser and the store: seconds in, whole samples out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import PAUSE_SYMBOL, SILENCE
from facestream_models.corpus.store import SAMPLE_RATE, Utterance


@dataclass(frozen=True)
class Segment:
    """One articulatory part: bare IPA `phone`, `class_index`, `start` and `end` in seconds of the audio."""

    phone: str
    class_index: int
    start: float
    end: float


def pause(start: float, end: float) -> Segment:
    """A pause from `start` to `end` seconds."""
    return Segment(PAUSE_SYMBOL, SILENCE, start, end)


_FLOOR_DB = -40.0  # below the loudest 10 ms: silence
_STOPS = frozenset("pbtdkɡgqcɟʈɖʔʧʤʦʣʨʥ")


def fit_pauses(segments: Sequence[Segment], audio: NDArray[np.floating], rate: int) -> list[Segment]:
    """Move the boundaries beside pauses to where the sound of `audio` [T] at `rate` begins and ends.

    A phone before a pause ends 20 ms after its last 10 ms that is louder than 40 dB below the loudest (it keeps at
    least 40 ms and grows by at most 60 ms); a phone after a pause begins 30 ms before its sound, a stop 80 ms before
    (its closure is silent), never earlier than labelled.
    """
    hop = rate // 100
    frames = len(audio) // hop
    if frames == 0 or not segments:
        return list(segments)
    level = np.sqrt(np.mean(np.square(audio[: frames * hop].reshape(frames, hop), dtype=np.float64), axis=1))
    loud = level > max(float(level.max()) * 10 ** (_FLOOR_DB / 20), 1e-5)

    def loud_frames(start: float, end: float) -> NDArray[np.intp]:
        first = max(0, int(start * 100))
        return first + np.flatnonzero(loud[first : int(np.ceil(end * 100))])

    bounds = [segments[0].start, *(segment.end for segment in segments)]
    for number in range(1, len(segments)):
        before, after = segments[number - 1], segments[number]
        if after.phone == PAUSE_SYMBOL != before.phone:
            heard = loud_frames(before.start, min(before.end + 0.04, after.end))
            end = (heard[-1] + 1) / 100 + 0.02 if len(heard) else before.start + 0.04
            bounds[number] = min(max(end, before.start + 0.04), after.end)
        elif before.phone == PAUSE_SYMBOL != after.phone:
            heard = loud_frames(after.start, after.end)
            onset = heard[0] / 100 if len(heard) else after.start
            lead = 0.08 if after.phone in _STOPS else 0.03
            bounds[number] = min(max(after.start, onset - lead), max(after.start, after.end - 0.02))
    ordered = np.maximum.accumulate(bounds)
    return [
        Segment(segment.phone, segment.class_index, float(start), float(end))
        for segment, start, end in zip(segments, ordered[:-1], ordered[1:], strict=True)
        if end > start
    ]


def utterance(
    *,
    key: str,
    source: str,
    language: str,
    voice: str,
    text: str,
    audio: NDArray[np.floating],
    segments: Sequence[Segment],
    lead: float = 0.0,
    tail: float = 0.0,
    posteriors: NDArray[np.float16] | None = None,
) -> Utterance:
    """Make an utterance of float `audio` [T] at 16 kHz (full scale 1) and its segments.

    `lead` and `tail` seconds of digital silence are put around it. Segments are rounded to samples, clipped to the
    audio, made contiguous (gaps become pauses, neighbouring pauses are joined) and dropped where empty.
    """
    before, after = (round(seconds * SAMPLE_RATE) for seconds in (lead, tail))
    samples = np.clip(np.rint(np.asarray(audio, dtype=np.float64) * 32767.0), -32768, 32767).astype(np.int16)
    padded = np.concatenate([np.zeros(before, np.int16), samples, np.zeros(after, np.int16)])
    phones: list[str] = []
    classes: list[int] = []
    ends: list[int] = []

    def put(phone: str, class_index: int, end: int) -> None:
        end = min(end, len(padded))
        if end <= (ends[-1] if ends else 0):
            return
        if phones and phones[-1] == phone == PAUSE_SYMBOL:
            ends[-1] = end
        else:
            phones.append(phone)
            classes.append(class_index)
            ends.append(end)

    for segment in segments:
        start, end = (before + round(seconds * SAMPLE_RATE) for seconds in (segment.start, segment.end))
        put(PAUSE_SYMBOL, SILENCE, min(start, before + len(samples)))
        put(segment.phone, segment.class_index, min(end, before + len(samples)))
    put(PAUSE_SYMBOL, SILENCE, len(padded))
    stops = np.array(ends, dtype=np.int32)
    return Utterance(
        key=key,
        source=source,
        language=language,
        voice=voice,
        text=text,
        audio=padded,
        phones=tuple(phones),
        classes=np.array(classes, dtype=np.int8),
        starts=np.concatenate([[0], stops[:-1]]).astype(np.int32),
        ends=stops,
        posteriors=posteriors,
    )
