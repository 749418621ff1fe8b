"""Electronic music with a closed mouth as its target: what a General MIDI soundfont can not play.

Filter sweeps, talking-box formants, gated pads and echoes come nearest to a voice of all instruments: a network that
knows acoustic instruments only opens the mouth to them. Subtractive synthesis in numpy, everything drawn at random.
"""

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, iirpeak, lfilter, sosfilt

FloatArray = NDArray[np.float64]

RATE = 48_000
_BLOCK = 240
_SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11), (0, 1, 4, 5, 7, 8, 11))


def electronic_music(seconds: float, random: np.random.Generator) -> FloatArray:
    """One random piece [T] at 16 kHz, of unit peak: one to five of pad, lead, bass, drone and drums."""
    samples = round(seconds * RATE)
    beat = 60.0 / random.uniform(70, 150)
    scale, root = _SCALES[int(random.integers(len(_SCALES)))], float(random.uniform(40, 75))
    parts = [part for part in (_pad, _lead, _bass, _drone, _drums) if random.random() < 0.55] or [_pad]
    mix = np.zeros(samples)
    for part in parts:
        sound = part(samples, beat, scale, root, random)
        mix += sound / max(float(np.sqrt(np.mean(sound**2))), 1e-9) * 10 ** (random.uniform(-9, 3) / 20)
    if random.random() < 0.6:
        mix = _hall(mix, random)
    if random.random() < 0.3:
        mix = np.tanh(mix * random.uniform(0.5, 3.0))
    out: FloatArray = soxr.resample(mix, RATE, 16_000, quality="HQ")[: round(seconds * 16_000)]
    return out / max(float(np.abs(out).max()), 1e-9)


def _hertz(root: float, scale: tuple[int, ...], step: int) -> float:
    return float(root * 2.0 ** (step // len(scale) + scale[step % len(scale)] / 12.0))


def _oscillator(hertz: FloatArray, random: np.random.Generator) -> FloatArray:
    """Saw, pulse, triangle, FM or sine [T] of a pitch curve [T]; two slightly detuned voices."""
    kind, width = int(random.integers(5)), random.uniform(0.1, 0.9)
    total = np.zeros(len(hertz))
    for detune in (1.0, 2.0 ** (random.normal(0, 0.1) / 12)):
        phase = np.cumsum(hertz * detune) / RATE + random.random()
        saw = 2.0 * (phase % 1.0) - 1.0
        if kind == 0:
            total += saw
        elif kind == 1:
            total += np.where((phase % 1.0) < width, 1.0, -1.0)
        elif kind == 2:
            total += 2.0 * np.abs(saw) - 1.0
        elif kind == 3:
            ratio, depth = float(random.choice([0.5, 1.0, 1.41, 2.0, 3.0])), random.uniform(0.5, 6.0)
            total += np.sin(2 * np.pi * phase + depth * np.sin(2 * np.pi * ratio * phase))
        else:
            total += np.sin(2 * np.pi * phase)
    return total


def _slow(samples: int, rate: float, random: np.random.Generator) -> FloatArray:
    """A curve [T] in 0..1: a sine, a saw or random knots that move about `rate` times a second."""
    time = np.arange(samples) / RATE
    kind = int(random.integers(3))
    if kind == 0:
        return 0.5 + 0.5 * np.sin(2 * np.pi * (rate * time + random.random()))
    if kind == 1:
        return 1.0 - (rate * time + random.random()) % 1.0
    knots = random.random(int(samples / RATE * rate) + 3)
    return np.interp(time * rate, np.arange(len(knots)), knots)


def _swept(sound: FloatArray, random: np.random.Generator) -> FloatArray:
    """A filter that moves over `sound`: a resonant low-pass, or two formants as of a talking box."""
    rate = float(random.choice([0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 6.0]))
    moving = [_slow(len(sound), rate, random)[::_BLOCK] for _ in range(2)]
    if random.random() < 0.5:
        low, high = sorted(np.exp(random.uniform(np.log(200), np.log(7000), 2)))
        return _blocks(sound, low * (high / low) ** moving[0], random.uniform(1.0, 8.0), lowpass=True)
    first = _blocks(sound, 250.0 + 700.0 * moving[0], random.uniform(3, 10), lowpass=False)
    second = _blocks(sound, 800.0 + 1700.0 * moving[1], random.uniform(4, 12), lowpass=False)
    return first + random.uniform(0.3, 1.0) * second + 0.05 * sound


def _blocks(sound: FloatArray, hertz: FloatArray, sharpness: float, *, lowpass: bool) -> FloatArray:
    """Filter `sound` with a second-order section whose frequency changes every 5 ms."""
    out, memory = np.empty_like(sound), np.zeros(2)
    for number, centre in enumerate(hertz):
        piece = slice(number * _BLOCK, (number + 1) * _BLOCK)
        if lowpass:  # the usual resonant low-pass biquad
            turn = 2 * np.pi * centre / RATE
            alpha = np.sin(turn) / (2 * sharpness)
            b = np.array([0.5, 1.0, 0.5]) * (1 - np.cos(turn)) / (1 + alpha)
            a = np.array([1 + alpha, -2 * np.cos(turn), 1 - alpha]) / (1 + alpha)
        else:
            b, a = iirpeak(centre, sharpness, fs=RATE)
        out[piece], memory = lfilter(b, a, sound[piece], zi=memory)
    return out


def _notes(samples: int, length: int, random: np.random.Generator, attack: float, release: float) -> FloatArray:
    """Envelope [T] of notes of `length` samples, some of them left out."""
    position = np.arange(samples) % length / RATE
    shape = np.minimum(1.0, position / attack) * np.exp(-position / release)
    played = (random.random(samples // length + 1) < 0.85).astype(float)
    envelope: FloatArray = shape * np.repeat(played, length)[:samples]
    return envelope


def _pad(samples: int, beat: float, scale: tuple[int, ...], root: float, random: np.random.Generator) -> FloatArray:
    """Chords that change every few beats, under a moving filter, sometimes gated or trembling."""
    length = int(beat * float(random.choice([2, 4, 8])) * RATE)
    count = samples // length + 1
    degrees = random.integers(0, len(scale), 4)
    total: FloatArray = np.zeros(samples)
    for voice in (0, 2, 4):
        steps = [_hertz(root, scale, int(degrees[n % 4]) + voice + len(scale)) for n in range(count)]
        total += _oscillator(np.repeat(steps, length)[:samples], random)
    total = _swept(total, random)
    if random.random() < 0.4:
        total *= _slow(samples, 1.0 / beat * float(random.choice([1, 2, 4])), random)
    return total


def _lead(samples: int, beat: float, scale: tuple[int, ...], root: float, random: np.random.Generator) -> FloatArray:
    """A melody of short notes that may glide, with vibrato, filter and echo."""
    length = int(beat * float(random.choice([0.25, 0.5, 1.0])) * RATE)
    steps = 2 * len(scale) + np.cumsum(random.integers(-2, 3, samples // length + 1))
    pitch = np.repeat([_hertz(root, scale, int(np.clip(s, len(scale), 4 * len(scale)))) for s in steps], length)
    pitch = pitch[:samples].astype(float)
    if random.random() < 0.5:
        glide = np.exp(-1.0 / (RATE * random.uniform(0.01, 0.15)))
        pitch = lfilter([1 - glide], [1, -glide], pitch, zi=[glide * pitch[0]])[0]
    time = np.arange(samples) / RATE
    pitch *= 1.0 + random.uniform(0, 0.015) * np.sin(2 * np.pi * random.uniform(4, 7) * time)
    sound = _oscillator(pitch, random) * _notes(samples, length, random, 0.01, random.uniform(0.05, 1.0))
    sound = _swept(sound, random) if random.random() < 0.7 else sound
    if random.random() < 0.6:
        delay = int(beat * 0.75 * RATE)
        for echo in range(1, 4):
            if echo * delay < samples:
                sound[echo * delay :] += 0.5**echo * sound[: samples - echo * delay]
    return sound


def _bass(samples: int, beat: float, scale: tuple[int, ...], root: float, random: np.random.Generator) -> FloatArray:
    """Low notes with a filter that opens on each, or wobbles."""
    length = int(beat * float(random.choice([0.5, 1.0, 2.0])) * RATE)
    degrees = random.integers(0, len(scale), 8)
    pitch = np.repeat([_hertz(root, scale, int(degrees[n % 8])) for n in range(samples // length + 1)], length)
    sound = _oscillator(pitch[:samples].astype(float), random)
    return _swept(sound, random) * _notes(samples, length, random, 0.005, random.uniform(0.1, 1.5))


def _drone(samples: int, beat: float, scale: tuple[int, ...], root: float, random: np.random.Generator) -> FloatArray:
    """Filtered noise that rises, falls and breathes with the beat."""
    del scale, root
    noise = _swept(random.standard_normal(samples), random)
    return noise * (0.1 + _slow(samples, float(random.choice([0.25, 1.0])) / beat, random))


def _drums(samples: int, beat: float, scale: tuple[int, ...], root: float, random: np.random.Generator) -> FloatArray:
    """A drum machine: kick, snare and hats on a random sixteenth pattern."""
    del scale, root
    sixteenth = int(beat / 4 * RATE)
    time = np.arange(int(0.3 * RATE)) / RATE
    kick = np.sin(2 * np.pi * np.cumsum(45 + random.uniform(60, 200) * np.exp(-time * 40)) / RATE) * np.exp(-time * 12)
    noise = random.standard_normal(len(time))
    snare = (noise + np.sin(2 * np.pi * random.uniform(150, 250) * time)) * np.exp(-time * random.uniform(12, 30))
    hat = sosfilt(butter(2, 6000, "high", fs=RATE, output="sos"), noise) * np.exp(-time * random.uniform(20, 90))
    pattern = [random.random(16) < share for share in (0.3, 0.2, 0.5)]
    total = np.zeros(samples)
    for number, start in enumerate(range(0, samples - len(time), sixteenth)):
        for drum, hits in zip((kick, snare, 0.4 * hat), pattern, strict=True):
            if hits[number % 16]:
                total[start : start + len(time)] += drum
    return total


def _hall(sound: FloatArray, random: np.random.Generator) -> FloatArray:
    decay = random.uniform(0.3, 3.0)
    time = np.arange(int(decay * RATE)) / RATE
    tail = random.standard_normal(len(time)) * np.exp(-6.9 * time / decay)
    wet: FloatArray = fftconvolve(sound, tail)[: len(sound)]
    dry = random.uniform(0.2, 1.0) * sound
    return dry + wet / max(float(np.sqrt(np.mean(wet**2))), 1e-9) * float(np.sqrt(np.mean(sound**2)))
