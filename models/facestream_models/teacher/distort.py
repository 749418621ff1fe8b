"""Waveform distortions for the teacher's training speech: what rooms, microphones and lines do to a voice.

Time stays in place (no speed change), so phone times stay exact.
"""

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.negatives import coloured_noise, slow_curve

_RATE = 16_000


def distort(audio: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A distorted copy of `audio` [T]: spectral tilt and dips, perhaps a narrow band, a room, noise; then a gain."""
    sound = _equalise(audio.astype(np.float64), random)
    if random.random() < 0.35:
        sound = _reverberate(sound, random)
    if random.random() < 0.6:
        level = float(np.sqrt(np.mean(np.square(sound)))) + 1e-6
        noise = coloured_noise(len(sound), float(random.uniform(0, 2)), random)
        if random.random() < 0.5:
            noise = noise * (0.2 + slow_curve(len(sound), 3.0, random))
        sound = sound + noise * level * 10 ** (-float(random.uniform(5, 35)) / 20)
    peak = float(np.max(np.abs(sound))) + 1e-9
    return (sound / peak * 10 ** (float(random.uniform(-26, 0)) / 20)).astype(np.float32)


def _equalise(sound: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / _RATE)
    octave = np.log2(np.maximum(frequency, 60.0) / 1000.0)
    knots = np.linspace(-4.1, 3.0, 8)
    decibels = np.interp(octave, knots, random.normal(0, 3.0, len(knots))) + float(random.normal(0, 1.0)) * octave
    if random.random() < 0.25:
        decibels -= 24.0 * np.maximum(0.0, np.log2(np.maximum(frequency, 1.0) / float(random.uniform(3000, 6000))))
    if random.random() < 0.2:
        decibels -= 24.0 * np.maximum(0.0, np.log2(float(random.uniform(120, 350)) / np.maximum(frequency, 20.0)))
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(sound))


def _reverberate(sound: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """An exponential tail of noise (RT60 0.1-0.6 s) under the direct sound."""
    rt60 = float(random.uniform(0.1, 0.6))
    time = np.arange(int(rt60 * _RATE)) / _RATE
    tail = random.standard_normal(len(time)) * np.exp(-6.9 * time / rt60)
    tail *= float(random.uniform(0.1, 0.6)) / (np.sqrt(np.sum(np.square(tail))) + 1e-9)
    tail[0] += 1.0
    size = len(sound) + len(tail)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
