from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.spoken import sentence

from facestream_models.corpus.emotion_voice import FULL_SHIFTS, Voice, VoiceShift, draw_shift, say_again, take_apart
from facestream_models.corpus.emotions import EMOTIONS, Act
from facestream_models.corpus.phones import SILENCE
from facestream_models.corpus.prosody import pitch_of
from facestream_models.corpus.store import Utterance


@cache
def voice(number: int) -> Voice:
    return take_apart(sentence(number, syllables=5))


def said(number: int, **qualities: float) -> Utterance:
    return say_again(voice(number), VoiceShift(**qualities), np.random.default_rng(5))[0]


def level(utterance: Utterance) -> float:
    spoken = np.concatenate(
        [
            utterance.audio[a:b]
            for c, a, b in zip(utterance.classes, utterance.starts, utterance.ends, strict=True)
            if c != SILENCE
        ]
    )
    return 20.0 * np.log10(np.sqrt(np.mean((spoken / 32767.0) ** 2)))


def envelope(audio: np.ndarray) -> np.ndarray:
    hops = np.abs(audio[: len(audio) // 160 * 160].reshape(-1, 160).astype(float)).mean(axis=1)
    return hops - hops.mean()


def test_nothing_moves_in_time_without_a_change_of_pace() -> None:
    for number in range(2):
        before, again = voice(number).utterance, said(number, pitch=3.0, tilt=1.0, breath=0.1)
        np.testing.assert_array_equal(again.starts, before.starts)
        np.testing.assert_array_equal(again.ends, before.ends)
        known, new = envelope(before.audio), envelope(again.audio)
        lags = [float(np.dot(known[5:-5], np.roll(new, lag)[5:-5])) for lag in range(-5, 6)]
        assert abs(int(np.argmax(lags)) - 5) <= 1  # within 10 ms


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1), st.floats(-0.25, 0.25), st.floats(-0.3, 0.6))
def test_segments_cover_the_slower_or_faster_audio(number: int, pace: float, pauses: float) -> None:
    again = said(number, pace=pace, pauses=pauses)  # an Utterance refuses segments that do not cover it
    before = voice(number).utterance
    speech = before.classes != SILENCE
    stretch = (again.ends - again.starts)[speech] / (before.ends - before.starts)[speech]
    np.testing.assert_allclose(stretch, 1.0 / (1.0 + pace), rtol=2e-3)
    assert again.ends[0] == before.ends[0]  # the silence before speech stays


def test_sound_stays_inside_its_stretched_segments() -> None:
    again = said(0, pace=-0.2, pauses=0.5)
    pause = int(np.flatnonzero(again.classes == SILENCE)[1])
    inner = again.audio[again.starts[pause] + 500 : again.ends[pause] - 500].astype(float)
    assert np.abs(inner).max() < 0.03 * np.abs(again.audio.astype(float)).max()


@pytest.mark.parametrize("semitones", [-3.0, 4.0])
def test_pitch_moves_by_the_semitones_asked_for(semitones: float) -> None:
    before, after = voice(1).f0, pitch_of(said(1, pitch=semitones).audio)
    both = (before > 0) & (after[: len(before)] > 0)
    assert both.sum() > 0.8 * (before > 0).sum()
    moved = 12.0 * np.log2(after[: len(before)][both] / before[both])
    assert np.median(moved) == pytest.approx(semitones, abs=0.1)


def test_level_melody_and_tilt_move_alone() -> None:
    plain, loud = said(0), said(0, level=4.0)
    assert level(plain) == pytest.approx(-26.0, abs=0.1)
    assert level(loud) - level(plain) == pytest.approx(4.0, abs=0.1)
    wide, f0 = say_again(voice(0), VoiceShift(melody=0.8), np.random.default_rng(5))
    known = voice(0).f0
    assert np.log(f0[f0 > 0]).std() == pytest.approx(1.8 * np.log(known[known > 0]).std(), rel=0.1)
    assert level(wide) == pytest.approx(-26.0, abs=0.1)
    spectra = [np.abs(np.fft.rfft(one.audio.astype(float))) for one in (plain, said(0, tilt=3.0))]
    high = [float((s[len(s) // 2 :] ** 2).sum() / (s**2).sum()) for s in spectra]
    assert high[1] > 2.0 * high[0]


def test_an_acted_shift_grows_with_intensity_and_neutral_only_drifts() -> None:
    random = np.random.default_rng(0)
    means = {
        (emotion, intensity): np.mean([draw_shift(Act(emotion, intensity), random) for _ in range(200)], axis=0)
        for emotion in (0, 2, 3)
        for intensity in (0.4, 1.0)
    }
    for emotion in (2, 3):
        full = np.array(FULL_SHIFTS[EMOTIONS[emotion]])
        np.testing.assert_allclose(means[emotion, 1.0], full, atol=0.35)
        np.testing.assert_allclose(means[emotion, 0.4], 0.4 * full, atol=0.35)
    np.testing.assert_allclose(means[0, 1.0], 0.0, atol=0.35)


def test_silence_is_said_again_as_silence() -> None:
    quiet = sentence(9, syllables=3)
    silent = take_apart(replace(quiet, audio=np.zeros_like(quiet.audio)))
    again, f0 = say_again(silent, VoiceShift(pitch=2.0, pace=0.1), np.random.default_rng(1))
    assert not f0.any()
    assert np.isfinite(again.audio).all()
