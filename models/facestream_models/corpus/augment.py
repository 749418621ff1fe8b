"""Rooms, channels and noise, applied to mel power: far cheaper than on waveforms, and what the network sees anyway.

Arrays are float32 `[B, frames, bands]` of mel power at 100 Hz (see `encoders/mel.py`). Section 5 of the
speech-motion-data specification: frequency warp, smooth equaliser, low-pass, exponential reverberation tails, noise at
0-35 dB, gain -26..+8 dB. Noise comes from `noise_waveform` (coloured, modulated, humming, crackling), from the music of
the corpus and from other voices.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from facestream_models.encoders.mel import HIGHEST_HZ, LOWEST_HZ, POWER_FLOOR, SAMPLE_RATE

Power = NDArray[np.float32]
FRAME_S = 0.010
WARPS = np.linspace(0.86, 1.16, 25)


def band_frequencies(bands: int) -> NDArray[np.float64]:
    """Centre frequency of each mel band in Hz."""
    lowest, highest = (2595.0 * np.log10(1.0 + hertz / 700.0) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    mels = np.linspace(lowest, highest, bands + 2)[1:-1]
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


def warp_matrices(bands: int) -> NDArray[np.float32]:
    """One matrix a factor of WARPS `[len(WARPS), bands, bands]`: power @ matrix moves every frequency by the factor."""
    centres = band_frequencies(bands)
    matrices = np.zeros((len(WARPS), bands, bands), dtype=np.float32)
    for matrix, factor in zip(matrices, WARPS, strict=True):
        position = np.interp(centres / factor, centres, np.arange(bands))
        below = np.minimum(position.astype(np.int64), bands - 2)
        share = position - below
        target = np.arange(bands)
        matrix[below, target] = 1.0 - share
        matrix[below + 1, target] += share
    return matrices


class Augmenter:
    """Draws one random room, channel and background for every row of a batch."""

    def __init__(self, bands: int, random: np.random.Generator) -> None:
        self.bands = bands
        self.random = random
        self.warps = warp_matrices(bands)
        self.frequencies = band_frequencies(bands)

    def __call__(self, power: Power, noise: Power, clearest_db: float = 32.0) -> Power:
        """Augmented copy of `power`; `noise`, of the same shape, is mixed in at a random level, or not at all."""
        rows = len(power)
        random = self.random
        picks = random.integers(0, len(WARPS), rows)
        power = np.matmul(power, self.warps[picks])
        loudness = _loudness(power)
        power = np.stack([self._reverberate(row) if random.random() < 0.4 else row for row in power])
        power *= self._equalisers(rows, 7.0)[:, None]

        ratio_db = random.uniform(0.0, clearest_db, rows)
        wanted = loudness * 10.0 ** (-ratio_db / 10.0) * (random.random(rows) < 0.7)
        noise = noise * self._equalisers(rows, 5.0)[:, None]
        level = np.maximum(noise.mean(axis=1).sum(axis=1), 1e-12)
        power += noise * (wanted / level)[:, None, None].astype(np.float32)

        power *= self._band_limits(rows)[:, None]
        power *= self._holes(rows)[:, None]
        power *= 10.0 ** (random.uniform(-26.0, 8.0, (rows, 1, 1)).astype(np.float32) / 10.0)
        # A recording's own floor: from digital silence to a hissing preamplifier.
        floor_db = random.uniform(-100.0, -62.0, (rows, 1, 1))
        power += (10.0 ** (floor_db / 10.0) * random.gamma(2.0, 0.5, power.shape)).astype(np.float32)
        return np.maximum(power, POWER_FLOOR)

    def alone(self, noise: Power) -> Power:
        """Noise or music with no speech in it, through the same channels, at -70 to -5 dB."""
        rows = len(noise)
        warps = self.warps[self.random.integers(0, len(WARPS), rows)]
        power = np.matmul(noise, warps) * self._equalisers(rows, 5.0)[:, None]
        level = np.maximum(power.mean(axis=1).sum(axis=1), 1e-12)
        wanted = 10.0 ** (self.random.uniform(-70.0, -5.0, rows) / 10.0)
        power = power * (wanted / level)[:, None, None] * self._band_limits(rows)[:, None]
        return np.asarray(np.maximum(power, POWER_FLOOR), dtype=np.float32)

    def _reverberate(self, row: Power) -> Power:
        """Add an exponential tail: decay time 0.12-0.7 s, tail energy -15 to 0 dB of the direct sound."""
        decay = 10.0 ** (-6.0 * FRAME_S / self.random.uniform(0.12, 0.7))
        energy = 10.0 ** (self.random.uniform(-15.0, 0.0) / 10.0)
        gain = energy * (1.0 - decay)
        return np.asarray(lfilter([1.0, gain - decay], [1.0, -decay], row, axis=0), dtype=np.float32)

    def _equalisers(self, rows: int, depth_db: float) -> Power:
        """Smooth random gains `[rows, bands]`: a tilt and three slow waves over the bands."""
        position = np.linspace(0.0, 1.0, self.bands)
        amount = self.random.normal(0.0, depth_db / 2, (rows, 4, 1))
        phase = self.random.uniform(0.0, 2 * np.pi, (rows, 3, 1))
        waves = np.sin(2 * np.pi * np.array([[0.7], [1.3], [2.4]]) * position + phase)
        gain_db = amount[:, 0] * (2.0 * position - 1.0) + (amount[:, 1:] * 0.7 * waves).sum(axis=1)
        return np.asarray(10.0 ** (gain_db / 10.0), dtype=np.float32)

    def _band_limits(self, rows: int) -> Power:
        """Gains `[rows, bands]`: some channels lose what is above 3-5 kHz, some what is below 150-350 Hz."""
        gains = np.zeros((rows, self.bands))
        for row in gains:
            if self.random.random() < 0.15:
                octaves = np.log2(self.frequencies / self.random.uniform(3000.0, 5000.0))
                row -= np.maximum(0.0, octaves) * self.random.uniform(24.0, 120.0)
            if self.random.random() < 0.10:
                octaves = np.log2(self.random.uniform(150.0, 350.0) / self.frequencies)
                row -= np.maximum(0.0, octaves) * self.random.uniform(12.0, 36.0)
        return (10.0 ** (gains / 10.0)).astype(np.float32)

    def _holes(self, rows: int) -> Power:
        """Gains `[rows, bands]`: a third of the rows miss up to a tenth of their bands (after SpecAugment)."""
        gains = np.ones((rows, self.bands), np.float32)
        for row in gains:
            if self.random.random() > 0.35:
                continue
            width = int(self.random.integers(1, self.bands // 10 + 1))
            first = int(self.random.integers(0, self.bands - width + 1))
            row[first : first + width] = 10.0 ** -self.random.uniform(1.0, 4.0)
        return gains


def _loudness(power: Power) -> NDArray[np.float64]:
    """Total power of the louder 40 % of frames [B]: the level of the speech, not of its pauses."""
    total = np.sort(power.sum(axis=2), axis=1)
    return np.asarray(total[:, int(0.6 * total.shape[1]) :].mean(axis=1), dtype=np.float64)


def noise_waveform(seconds: float, random: np.random.Generator) -> NDArray[np.float32]:
    """One random noise at 16 kHz, peak about 1: a colour, sometimes modulated, with hum, tones or clicks."""
    count = int(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    slope = random.choice([0.0, -0.5, -0.5, -1.0, random.uniform(-1.2, 0.4)])
    spectrum *= np.maximum(hertz, 40.0) ** slope
    if random.random() < 0.35:  # wind, fans, traffic: a band of it
        centre, width = random.uniform(100.0, 5000.0), random.uniform(0.3, 1.5)
        spectrum *= np.exp(-((np.log2(np.maximum(hertz, 20.0) / centre) / width) ** 2)) + 0.02
    wave = np.fft.irfft(spectrum, count)
    wave /= np.abs(wave).max() + 1e-9
    if random.random() < 0.5:  # swells, breaths, the rhythm of speech
        rate, depth = random.uniform(0.2, 8.0), random.uniform(0.2, 1.0)
        knots = np.arange(0.0, seconds + 1.0 / rate, 1.0 / rate)
        slow = np.interp(time, knots, random.random(len(knots)))
        wave *= 1.0 - depth + depth * slow**2
    if random.random() < 0.35:
        base = random.choice([50.0, 60.0, random.uniform(60.0, 600.0)])
        partials = np.arange(1, random.integers(2, 25))
        vibrato = 1.0 + random.uniform(0.0, 0.02) * np.sin(2 * np.pi * random.uniform(0.1, 6.0) * time)
        phase = 2 * np.pi * base * np.cumsum(vibrato) / SAMPLE_RATE
        loud = random.random(len(partials)) / partials ** random.uniform(0.3, 1.5)
        audible = base * partials < 7500.0
        wave = wave * random.uniform(0.02, 1.0) + sum(
            amount * np.sin(partial * phase) for partial, amount in zip(partials[audible], loud[audible], strict=True)
        )
    if random.random() < 0.25:
        clicks = np.zeros(count)
        clicks[random.integers(0, count, max(1, int(seconds * random.uniform(0.5, 12.0))))] = random.uniform(1.0, 4.0)
        decay = np.exp(-np.arange(1600) / random.uniform(8.0, 500.0)) * random.standard_normal(1600)
        wave = wave + np.convolve(clicks, decay)[:count]
    return np.asarray(wave / (np.abs(wave).max() + 1e-9), dtype=np.float32)
