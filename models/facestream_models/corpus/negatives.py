"""Sounds that are not speech, with a closed mouth as their target: noises, bodily noises, signals and music.

Without them the network opens the mouth to music (88 % of frames in the prototype; speech-motion-data specification,
section 7). Everything is drawn from a random generator: noises in numpy, music as random General MIDI songs played by
FluidSynth with the MIT-licensed FluidR3 soundfont (Debian packages `fluidsynth` and `fluid-soundfont-gm`).
"""

import struct
import subprocess
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RATE = 16_000
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def coloured_noise(samples: int, slope: float, random: np.random.Generator) -> FloatArray:
    """Noise [T] of unit RMS whose power falls by 3 `slope` dB an octave: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum *= np.maximum(frequency, 20.0) ** (-slope / 2)
    return _unit(np.fft.irfft(spectrum, samples))


def band_noise(samples: int, low: float, high: float, random: np.random.Generator) -> FloatArray:
    """Noise [T] of unit RMS between `low` and `high` Hz, with soft edges."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 1.0)
    spectrum /= np.sqrt(1 + (low / frequency) ** 6) * np.sqrt(1 + (frequency / high) ** 6)
    return _unit(np.fft.irfft(spectrum, samples))


def slow_curve(samples: int, rate: float, random: np.random.Generator) -> FloatArray:
    """A smooth random curve [T] in 0..1 that moves about `rate` times a second."""
    knots = max(4, int(samples / RATE * rate) + 3)
    positions = np.linspace(0, knots - 1, samples)
    whole = positions.astype(int).clip(max=knots - 2)
    weight = 0.5 - 0.5 * np.cos(np.pi * (positions - whole))
    values = random.random(knots)
    curve: FloatArray = values[whole] * (1 - weight) + values[whole + 1] * weight
    return curve


def steady(samples: int, random: np.random.Generator) -> FloatArray:
    """Room noise of any colour, sometimes slowly swelling."""
    noise = coloured_noise(samples, float(random.uniform(0, 2.2)), random)
    return noise * (0.3 + slow_curve(samples, 0.5, random)) if random.random() < 0.4 else noise


def hum(samples: int, random: np.random.Generator) -> FloatArray:
    """Mains or machine hum: harmonics of 50, 60 or 25-180 Hz with slow wobble."""
    base = float(random.choice([50.0, 60.0, random.uniform(25, 180)]))
    phase = 2 * np.pi * np.cumsum(base * (1 + 0.01 * (slow_curve(samples, 2, random) - 0.5))) / RATE
    sound = np.zeros(samples)
    for harmonic in range(1, int(random.integers(3, 25))):
        sound += random.random() / harmonic * np.sin(harmonic * phase + random.uniform(0, 6.3))
    return _unit(sound) + 0.1 * steady(samples, random)


def traffic(samples: int, random: np.random.Generator) -> FloatArray:
    """Vehicles passing: low noise that swells, over an engine tone."""
    envelope = slow_curve(samples, float(random.uniform(0.2, 1.0)), random) ** 3
    return coloured_noise(samples, 1.8, random) * (0.1 + envelope) + 0.3 * envelope * hum(samples, random)


def wind(samples: int, random: np.random.Generator) -> FloatArray:
    """Gusts: band noise whose level and colour wander."""
    low = band_noise(samples, 60, 400, random) * slow_curve(samples, 1.5, random) ** 2
    return low + band_noise(samples, 300, 1500, random) * slow_curve(samples, 3.0, random) ** 3


def bursts(samples: int, random: np.random.Generator) -> FloatArray:
    """Clicks, typing, knocks, clatter: short decaying noises and resonances."""
    sound = 0.01 * steady(samples, random)
    for _ in range(int(samples / RATE * random.uniform(1, 12))):
        length = int(RATE * random.uniform(0.004, 0.15))
        start = int(random.integers(0, max(1, samples - length)))
        time = np.arange(length) / RATE
        body = random.standard_normal(length)
        if random.random() < 0.5:
            body = np.sin(2 * np.pi * random.uniform(150, 5000) * time) + 0.3 * body
        decay = np.exp(-time * random.uniform(20, 400))
        sound[start : start + length] += random.uniform(0.1, 1.0) * (body * decay)[: samples - start]
    return sound


def breaths(samples: int, random: np.random.Generator) -> FloatArray:
    """Breathing in and out: band noise under smooth arches."""
    sound = 0.01 * steady(samples, random)
    now = float(random.uniform(0, 1.0))
    while now * RATE < samples - 4000:
        length = min(int(RATE * random.uniform(0.3, 1.1)), samples - int(now * RATE))
        arch = np.sin(np.linspace(0, np.pi, length)) ** random.uniform(0.8, 2)
        low = float(random.uniform(300, 1200))
        start = int(now * RATE)
        sound[start : start + length] += arch * band_noise(length, low, low * random.uniform(2, 6), random)
        now += length / RATE + random.uniform(0.2, 1.2)
    return sound


def coughs(samples: int, random: np.random.Generator) -> FloatArray:
    """Cough- and sneeze-like: a hard noise burst, then a hoarse tail with a falling pitch."""
    sound = 0.01 * steady(samples, random)
    now = float(random.uniform(0.1, 1.0))
    while now * RATE < samples - 9000:
        length = int(RATE * random.uniform(0.15, 0.45))
        time = np.arange(length) / RATE
        envelope = np.minimum(1, time / 0.01) * np.exp(-time * random.uniform(6, 16))
        pitch = random.uniform(90, 300) * np.exp(-time * 2)
        hoarse = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE)) * random.uniform(0, 0.5)
        start = int(now * RATE)
        sound[start : start + length] += envelope * (band_noise(length, 250, 3500, random) + hoarse)
        now += random.uniform(0.25, 1.5)
    return sound


def signals(samples: int, random: np.random.Generator) -> FloatArray:
    """Beeps, dial tones, sirens, alarms, sweeps."""
    time = np.arange(samples) / RATE
    kind = int(random.integers(4))
    if kind == 0:  # two tones at once, on and off
        low, high = random.uniform(300, 1000), random.uniform(1000, 2000)
        gate = (np.mod(time, random.uniform(0.15, 2)) < random.uniform(0.05, 1)).astype(float)
        tones: FloatArray = gate * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time))
        return tones
    if kind == 1:  # siren
        pitch = random.uniform(300, 900) * 2 ** np.sin(2 * np.pi * random.uniform(0.1, 3) * time)
    elif kind == 2:  # sweep
        pitch = random.uniform(80, 500) * 2 ** (time * random.uniform(-0.5, 1.2)).clip(-3, 4)
    else:  # game-like bleeps
        pitch = np.repeat(random.uniform(100, 3000, samples // 800 + 1), 800)[:samples]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    shape = np.sin(phase) if random.random() < 0.5 else np.sign(np.sin(phase))
    sound: FloatArray = shape * (0.2 + slow_curve(samples, 4, random))
    return sound


NOISES: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "steady": steady, "hum": hum, "traffic": traffic, "wind": wind, "bursts": bursts, "breaths": breaths,
    "coughs": coughs, "signals": signals,
}  # fmt: skip


def noise(kind: str, seconds: float, random: np.random.Generator) -> FloatArray:
    """One clip [T] at 16 kHz of a NOISES kind, at a peak between -40 and -1 dBFS, sometimes over room noise."""
    samples = round(seconds * RATE)
    sound = NOISES[kind](samples, random)
    if random.random() < 0.3:
        sound = sound + random.uniform(0.02, 0.4) * steady(samples, random)
    return sound / max(float(np.max(np.abs(sound))), 1e-9) * 10 ** (float(random.uniform(-40, -1)) / 20)


def music(seconds: float, random: np.random.Generator) -> FloatArray:
    """One random song [T] at 16 kHz, at a peak between -30 and -1 dBFS. Raises RuntimeError without FluidSynth."""
    if not SOUNDFONT.is_file():
        raise RuntimeError(f"no soundfont {SOUNDFONT}; `apt-get install fluidsynth fluid-soundfont-gm` and try again")
    with tempfile.TemporaryDirectory() as folder:
        song, audio = Path(folder) / "song.mid", Path(folder) / "song.wav"
        song.write_bytes(random_song(seconds + 1.0, random))
        command = ["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", "44100", "-F", str(audio), str(SOUNDFONT), str(song)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError as error:
            raise RuntimeError("fluidsynth is not installed; `apt-get install fluidsynth`") from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"fluidsynth failed: {error.stderr.decode(errors='replace').strip()}") from error
        with wave.open(str(audio)) as file:
            stereo = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    mono = soxr.resample(stereo.astype(np.float64).mean(axis=1), 44_100, RATE, quality="HQ")[: round(seconds * RATE)]
    sound: FloatArray = mono / max(float(np.max(np.abs(mono))), 1e-9) * 10 ** (float(random.uniform(-30, -1)) / 20)
    return sound


_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 3, 5, 6, 7, 10, 12))
_TICKS = 96  # per quarter note
_DRUMS = 9  # MIDI channel


def random_song(seconds: float, random: np.random.Generator) -> bytes:
    """A Standard MIDI File (format 0) of about `seconds`: chords, bass, lead, arpeggio and drums, each perhaps."""
    tempo = float(random.uniform(60, 170))
    scale = _SCALES[int(random.integers(len(_SCALES)))]
    root = int(random.integers(36, 48))
    bars = int(np.ceil(seconds * tempo / 60 / 4))
    progression = random.integers(0, 7, 4)
    layers = [layer for layer in ("chords", "bass", "lead", "arpeggio", "drums") if random.random() < 0.6] or ["chords"]
    events: list[tuple[int, bytes]] = []

    def note(channel: int, pitch: int, start: float, length: float, velocity: float) -> None:
        key = int(np.clip(pitch, 0, 127))
        loud = int(np.clip(velocity + random.normal(0, 8), 1, 127))
        events.append((round(start * _TICKS), bytes([0x90 | channel, key, loud])))
        events.append((round((start + length) * _TICKS), bytes([0x80 | channel, key, 0])))

    def degree(step: int) -> int:
        return root + 12 * (step // 7) + scale[step % 7]

    for channel, _ in enumerate(layers):
        if channel != _DRUMS:
            events.append((0, bytes([0xC0 | channel, int(random.integers(0, 120))])))
    kick, snare = random.random(16) < 0.3, random.random(16) < 0.2
    lead_step = 14
    for bar in range(bars):
        chord, start = int(progression[bar % 4]), bar * 4.0
        for channel, layer in enumerate(layers):
            if layer == "chords":
                for third in (7, 9, 11):
                    note(channel, degree(chord + third), start, 3.9, 75)
            elif layer == "bass":
                for beat in range(4):
                    note(channel, degree(chord) - 12 * (root > 42), start + beat, 0.8, 95)
            elif layer == "arpeggio":
                for eighth in range(8):
                    note(channel, degree(chord + 7 + 2 * (eighth % 4)), start + eighth / 2, 0.45, 70)
            elif layer == "lead":
                now = 0.0
                while now < 4:
                    length = float(random.choice([0.25, 0.5, 0.5, 1.0, 2.0]))
                    lead_step = int(np.clip(lead_step + random.integers(-3, 4), 9, 26))
                    if random.random() < 0.85:
                        note(channel, degree(lead_step), start + now, length * 0.95, 100)
                    now += length
            else:
                for sixteenth in range(16):
                    at = start + sixteenth / 4
                    if kick[sixteenth]:
                        note(_DRUMS, 36, at, 0.1, 110)
                    if snare[sixteenth]:
                        note(_DRUMS, 38, at, 0.1, 100)
                    if sixteenth % 2 == 0:
                        note(_DRUMS, int(random.choice([42, 42, 46, 51])), at, 0.1, 70)
    return _midi_file(events, tempo)


def _midi_file(events: list[tuple[int, bytes]], tempo: float) -> bytes:
    track = bytearray(b"\x00\xff\x51\x03" + round(60e6 / tempo).to_bytes(3, "big"))
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track += _variable_length(tick - now) + message
        now = tick
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, _TICKS) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _variable_length(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append((value & 0x7F) | 0x80)
    return bytes(reversed(groups))


def _unit(sound: FloatArray) -> FloatArray:
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-12)
