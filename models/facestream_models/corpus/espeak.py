"""Formant speech with exact phone times: libespeak-ng through its C API.

Its voices sound robotic, but its phone times are exact (fricative edges within 4 ms) and it is fast, so it carries
the languages and accents that the neural voices lack. Needs the Debian package `libespeak-ng1` (GPL-3 program; it is
called to make audio, not linked into anything that ships, and its output is free to use).
"""

import ctypes
import ctypes.util
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from facestream_models.corpus.phones import PAUSE_SYMBOL, SILENCE, parts_of
from facestream_models.corpus.segments import Segment, pause

_RETRIEVAL = 1  # espeak_AUDIO_OUTPUT: the callback gets the samples
_PHONEME_EVENTS_IPA = 0x0001 | 0x0002
_EVENT_LIST_TERMINATED, _EVENT_PHONEME = 0, 7
_CHARS_UTF8 = 1
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h, API revision 12."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class PhoneEvent:
    """One phoneme event: IPA `phone` (empty for a pause) that begins at `start` seconds."""

    phone: str
    start: float


class Espeak:
    """The synthesiser. libespeak-ng keeps global state: make one per process."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng")
        if name is None:
            raise RuntimeError("libespeak-ng is not installed; `apt-get install libespeak-ng1` and try again")
        self._library = ctypes.CDLL(name)
        rate = self._library.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS_IPA)
        if rate <= 0:
            raise RuntimeError(f"espeak_Initialize failed with {rate}; is the package espeak-ng-data complete?")
        self.sample_rate = int(rate)
        self._chunks: list[NDArray[np.int16]] = []
        self._events: list[PhoneEvent] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(
        self,
        text: str,
        voice: str,
        language: str,
        *,
        words_per_minute: int = 170,
        pitch: int = 50,
        pitch_range: int = 50,
    ) -> tuple[NDArray[np.float32], list[Segment]]:
        """Speak `text` with `voice` (voice file plus variant, such as "fr+f3"); `language` settles classes of phones.

        Returns float32 audio [T] at 16 kHz and segments in seconds. Raises ValueError for an unknown voice and
        UnknownPhoneError for a phone without a class.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}; `espeak-ng --voices` lists them")
        for parameter, value in (
            (_PARAMETER_RATE, words_per_minute),
            (_PARAMETER_PITCH, pitch),
            (_PARAMETER_RANGE, pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._events = [], []
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, 0, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._chunks:
            raise ValueError(f"espeak-ng made no sound of {text!r}")
        samples = np.concatenate(self._chunks).astype(np.float32) / 32768.0
        duration = len(samples) / self.sample_rate
        segments = segments_of(self._events, duration, language)
        return soxr.resample(samples, self.sample_rate, 16_000, quality="HQ"), segments

    def _receive(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: Iterable[_Event]) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        for event in events:
            if event.type == _EVENT_LIST_TERMINATED:
                break
            if event.type == _EVENT_PHONEME:
                phone = event.id.string.decode("utf-8", errors="ignore").strip()
                self._events.append(PhoneEvent(phone, event.audio_position / 1000.0))
        return 0


def segments_of(events: list[PhoneEvent], duration: float, language: str) -> list[Segment]:
    """Phone events in order of time -> contiguous segments up to `duration` seconds.

    Each phone ends where the next begins.
    """
    segments: list[Segment] = []

    def put(phone: str, class_index: int, start: float, end: float) -> None:
        if end <= start:
            return
        if segments and segments[-1].phone == phone == PAUSE_SYMBOL:
            start = segments.pop().start
        segments.append(Segment(phone, class_index, start, end))

    if not events:
        return [pause(0.0, duration)]
    put(PAUSE_SYMBOL, SILENCE, 0.0, min(events[0].start, duration))
    ends = [event.start for event in events[1:]] + [duration]
    for event, end in zip(events, ends, strict=True):
        parts = parts_of(event.phone, language)
        if not parts:
            put(PAUSE_SYMBOL, SILENCE, event.start, min(end, duration))
        start = event.start
        for part in parts:
            stop = start + part.share * (end - event.start)
            put(part.symbol, part.class_index, start, min(stop, duration))
            start = stop
    return segments
