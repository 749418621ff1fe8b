"""The speech that is streamed wherever a benchmark needs some: the example clip that ships with the project."""

from pathlib import Path

import numpy as np

from facestream.audio.files import read_audio
from facestream.types import Float32

CLIP = Path(__file__).resolve().parents[2] / "examples" / "amiable.flac"
RATE_HZ = 16_000


def clip_speech() -> Float32:
    """The clip once, `[T]` at 16 kHz."""
    samples, rate_hz = read_audio(CLIP)
    assert rate_hz == RATE_HZ, f"{CLIP} has {rate_hz} Hz"
    return samples


def speech_of(seconds: float, rate_hz: int = RATE_HZ) -> Float32:
    """The clip again and again, `[seconds * rate_hz]`; other rates by straight lines between its samples."""
    samples = clip_speech()
    if rate_hz != RATE_HZ:
        places = np.arange(round(samples.size * rate_hz / RATE_HZ)) * (RATE_HZ / rate_hz)
        samples = np.interp(places, np.arange(samples.size), samples).astype(np.float32)
    return np.resize(samples, round(seconds * rate_hz))
