"""Melody and loudness of an utterance on the 50 Hz grid: what head, brows and emotional apex follow.

Frame j describes the instant 20j ms. Accents are joint peaks of pitch and loudness.
"""

from dataclasses import dataclass

import numpy as np
import pyworld
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from facestream_models.corpus.coarticulation import FRAME_RATE, SAMPLES_PER_FRAME
from facestream_models.corpus.phones import SILENCE
from facestream_models.corpus.store import SAMPLE_RATE, Utterance

Float64 = NDArray[np.float64]

PITCH_FRAME_MS = 5.0
_PITCH_HZ = (65.0, 500.0)
_SYNTHETIC_PITCH_HZ = (55.0, 620.0)
"""What the vocoder that speaks the takes keeps to."""
_LOUDNESS_RANGE_DB = 35.0
_ACCENT_DISTANCE_S = 0.25
_ACCENT_PROMINENCE = 0.5
_SHORTEST_BREAK_S = 0.12
"""A pause from this length on divides phrases."""


@dataclass(frozen=True, eq=False)
class Prosody:
    """`pitch_st` [F] semitones around the utterance's median, bridged where unvoiced; `voiced` [F] bool; `loudness`
    [F] 0..1 (0 is 35 dB below the loud parts); `accents` [N, 2] time in seconds and strength 0..1; `phrases` (start,
    end) in seconds of the stretches between pauses.
    """

    pitch_st: Float64
    voiced: NDArray[np.bool_]
    loudness: Float64
    accents: Float64
    phrases: tuple[tuple[float, float], ...]

    @property
    def times(self) -> Float64:
        return np.arange(len(self.loudness)) / FRAME_RATE

    def speaking(self) -> Float64:
        """1 within phrases and 0 between them `[F]`, with soft edges of about 0.1 s."""
        inside = np.zeros(len(self.loudness))
        for start, end in self.phrases:
            inside[(self.times >= start) & (self.times <= end)] = 1.0
        return smoothed(inside, 0.06)


def pitch_of(audio: NDArray[np.integer]) -> Float64:
    """F0 in Hz every 5 ms `[M]`, 0 where unvoiced, of int16 `audio` [T] at 16 kHz (Harvest, Morise 2017)."""
    low, high = _PITCH_HZ
    samples = np.ascontiguousarray(audio, dtype=np.float64) / 32768.0
    f0, _ = pyworld.harvest(samples, SAMPLE_RATE, f0_floor=low, f0_ceil=high, frame_period=PITCH_FRAME_MS)
    return np.asarray(f0)


def quick_pitch_of(audio: NDArray[np.integer]) -> Float64:
    """F0 in Hz every 5 ms `[M]`, 0 where unvoiced, of int16 `audio` [T] at 16 kHz, by DIO (Morise 2009).

    A thirteenth of the time that `pitch_of` takes: enough for clean harmonics, as a vocoder or a studio makes them.
    """
    low, high = _SYNTHETIC_PITCH_HZ
    samples = np.ascontiguousarray(audio, dtype=np.float64) / 32768.0
    found, times = pyworld.dio(samples, SAMPLE_RATE, f0_floor=low, f0_ceil=high, frame_period=PITCH_FRAME_MS)
    return np.asarray(pyworld.stonemask(samples, found, times, SAMPLE_RATE))


def prosody_of(utterance: Utterance, f0: Float64) -> Prosody:
    """Prosody of an utterance whose `f0` [M] is known every 5 ms."""
    frames = -(-len(utterance.audio) // SAMPLES_PER_FRAME)
    times = np.arange(frames) / FRAME_RATE
    loudness = loudness_of(utterance.audio, frames)
    pitch, voiced = _bridged(f0, times)
    phrases = phrases_of(utterance)
    return Prosody(pitch, voiced, loudness, _accents(pitch, loudness, times, phrases), phrases)


def phrases_of(utterance: Utterance) -> tuple[tuple[float, float], ...]:
    """Stretches (start, end) in seconds without a pause of 120 ms or more."""
    phrases: list[tuple[float, float]] = []
    for label, start, end in zip(utterance.classes, utterance.starts, utterance.ends, strict=True):
        if label == SILENCE and end - start >= _SHORTEST_BREAK_S * SAMPLE_RATE:
            continue
        begin, finish = float(start) / SAMPLE_RATE, float(end) / SAMPLE_RATE
        if phrases and begin - phrases[-1][1] < 1e-9:
            phrases[-1] = (phrases[-1][0], finish)
        elif label != SILENCE:
            phrases.append((begin, finish))
    return tuple(phrases)


def smoothed(values: Float64, seconds: float) -> Float64:
    """`values` [F] at 50 Hz under a Gaussian of that standard deviation."""
    return np.asarray(gaussian_filter1d(np.asarray(values, dtype=np.float64), seconds * FRAME_RATE, mode="nearest"))


def loudness_of(audio: NDArray[np.integer], frames: int) -> Float64:
    """Level of the 40 ms around each instant at 50 Hz, from the quiet (0) to the loud (1) of int16 `audio` [T]."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    middle = np.arange(frames) * SAMPLES_PER_FRAME
    first = np.clip(middle - SAMPLES_PER_FRAME, 0, len(audio) - 1)
    last = np.clip(middle + SAMPLES_PER_FRAME, first + 1, len(audio))
    level = 10.0 * np.log10(np.maximum((energy[last] - energy[first]) / (last - first), 1.0))
    return np.asarray(np.clip((level - np.percentile(level, 95)) / _LOUDNESS_RANGE_DB + 1.0, 0.0, 1.0))


def _bridged(f0: Float64, times: Float64) -> tuple[Float64, NDArray[np.bool_]]:
    """Semitones around the median `[F]`, linear across unvoiced gaps, and where there was a voice."""
    voiced = np.flatnonzero(f0 > 0)
    if len(voiced) == 0:
        return np.zeros(len(times)), np.zeros(len(times), dtype=bool)
    semitones = 12.0 * np.log2(f0[voiced] / np.median(f0[voiced]))
    places = times * 1000.0 / PITCH_FRAME_MS
    nearest = np.minimum(np.rint(places).astype(int), len(f0) - 1)
    return np.interp(places, voiced, semitones), f0[nearest] > 0


def _accents(pitch: Float64, loudness: Float64, times: Float64, phrases: tuple[tuple[float, float], ...]) -> Float64:
    """Times and strengths `[N, 2]` of the joint peaks of pitch and loudness inside phrases."""
    inside = np.zeros(len(times), dtype=bool)
    for start, end in phrases:
        inside |= (times >= start) & (times <= end)
    if inside.sum() < 5:
        return np.zeros((0, 2))
    score = np.zeros(len(times))
    for track in (smoothed(pitch, 0.03), smoothed(loudness, 0.03)):
        score += 0.5 * (track - track[inside].mean()) / max(float(track[inside].std()), 1e-3)
    score[~inside] = score[inside].min() - 0.5
    peaks, found = find_peaks(
        score, distance=max(1, round(_ACCENT_DISTANCE_S * FRAME_RATE)), prominence=_ACCENT_PROMINENCE
    )
    strengths = np.clip(found["prominences"] / 3.0, 0.2, 1.0)
    return np.stack([times[peaks], strengths], axis=1)
