import shutil
from ctypes.util import find_library

import numpy as np
import pytest

from facestream_models.corpus import flite
from facestream_models.corpus.espeak import Espeak, PhoneEvent, segments_of
from facestream_models.corpus.phones import CLASSES
from facestream_models.corpus.segments import Segment
from facestream_models.corpus.transcript import phone_words, words_of

needs_espeak = pytest.mark.skipif(find_library("espeak-ng") is None, reason="libespeak-ng is not installed")
needs_espeak_program = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def names(segments: list[Segment]) -> list[str]:
    return [CLASSES[segment.class_index] for segment in segments]


def test_events_become_contiguous_segments() -> None:
    events = [
        PhoneEvent("", 0.0),
        PhoneEvent("p", 0.1),
        PhoneEvent("aɪ", 0.2),
        PhoneEvent("", 0.3),
        PhoneEvent("", 0.35),
    ]
    segments = segments_of(events, 0.5, "en-us")
    assert names(segments) == ["sil", "PP", "aa", "I", "sil"]
    assert [round(segment.end, 3) for segment in segments] == [0.1, 0.2, 0.258, 0.3, 0.5]


def test_events_after_the_audio_are_dropped() -> None:
    segments = segments_of([PhoneEvent("p", 0.0), PhoneEvent("a", 0.4), PhoneEvent("m", 0.9)], 0.5, "es")
    assert names(segments) == ["PP", "aa"]
    assert segments[-1].end == 0.5
    assert names(segments_of([], 0.5, "es")) == ["sil"]


@needs_espeak
def test_formant_speech_is_loud_where_vowels_are_and_silent_in_pauses() -> None:
    audio, segments = Espeak().speak("Papa. Mama. Bobo.", "en-us", "en-us")
    assert names(segments).count("PP") == 6
    assert segments[-1].end == pytest.approx(len(audio) / 16_000, abs=0.01)

    def level(segment: Segment) -> float:
        return float(np.abs(audio[round(segment.start * 16_000) : round(segment.end * 16_000)]).mean())

    vowels = [level(segment) for segment in segments if names([segment])[0] in {"aa", "O", "U", "@"}]
    pauses = [
        level(segment) for segment in segments if names([segment]) == ["sil"] and segment.end - segment.start > 0.1
    ]
    assert min(vowels) > 5 * max(pauses)


@needs_espeak
def test_an_unknown_formant_voice_is_named() -> None:
    with pytest.raises(ValueError, match="no-such-voice"):
        Espeak().speak("hello", "no-such-voice", "en-us")


def test_a_flite_listing_becomes_segments() -> None:
    segments = flite.segments_of("pau:0.2 b:0.25 ay:0.45 pau:0.9 ", 0.6)
    assert names(segments) == ["sil", "PP", "aa", "I", "sil"]
    assert segments[-1].end == 0.6
    with pytest.raises(ValueError, match="'xx'"):
        flite.segments_of("xx:0.2", 1.0)


@needs_flite
def test_recorded_voices_speak_at_16_khz_with_phones() -> None:
    audio, segments = flite.speak("Bob moved five boxes.", "kal", stretch=1.2, pitch_mean=120.0)
    assert names(segments).count("PP") == 4
    assert segments[-1].end == pytest.approx(len(audio) / 16_000, abs=0.25)
    with pytest.raises(ValueError, match="kal16"):
        flite.speak("hello", "nobody")


def test_ipa_words_are_split_into_phones_and_language_marks_dropped() -> None:
    words = words_of("b_ˈaɪ_ɪ (en)p_ˈɛ_n(es) ˈ", "en-us")
    assert [[CLASSES[part.class_index] for phone in word for part in phone] for word in words] == [
        ["PP", "aa", "I", "I"],
        ["PP", "E", "NN"],
    ]


@needs_espeak_program
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-us", "Please press the button to hear the measure of joy; why not both?"),
        ("en-gb", "A very thin church bell rang over the young boy's house."),
        ("es", "Mañana el perro grande correrá por la ciudad llena de jamón."),
        ("it", "Gli gnocchi della zia piacciono molto a mezzogiorno."),
        ("fr-fr", "Un bon vin blanc et deux œufs pour lui, hier à Reims."),
        ("pt-br", "O coração não tem medo; amanhã trabalho na cidade."),
        ("de", "Ich möchte schöne Bücher über große Häuser, bitte."),
        ("ru", "Здравствуйте, пожалуйста, щука и большой жёлтый краб быстро плывут."),
    ],
)
def test_every_phone_that_espeak_writes_for_these_texts_has_a_class(language: str, text: str) -> None:
    words = phone_words(text, language)
    assert len(words) > 5
    assert all(word for word in words)
