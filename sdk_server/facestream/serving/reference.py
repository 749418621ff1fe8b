"""A reference clip before its emotion is heard: long enough, not silent, at the model's rate."""

import numpy as np

from facestream.audio.resample import Resampler
from facestream.errors import AudioError
from facestream.motion.heard_emotion import SILENT_RMS
from facestream.types import Float32

SHORTEST_S = 0.5
"""Less than half a second of sound holds a vowel, and no emotion."""
LONGEST_S = 60


def reference_speech(samples: Float32, sample_rate_hz: int, code_samples: int) -> Float32:
    """Mono speech `[T]` at 16 kHz in whole codes `[1, K * code_samples]`. Raises `AudioError`."""
    seconds = samples.size / sample_rate_hz
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise AudioError("audio", f"{seconds:.2f} s", f"{SHORTEST_S:g} to {LONGEST_S} s of speech")
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    if level < SILENT_RMS:
        allowed = f"speech, an RMS of {SILENT_RMS:g} or more"
        raise AudioError("audio", f"silence (RMS {level:.1g} of full scale)", allowed)
    resampler = Resampler(sample_rate_hz)
    converted = np.concatenate((resampler.push(samples), resampler.flush()))
    padded = np.zeros((1, -(-converted.size // code_samples) * code_samples), np.float32)
    padded[0, : converted.size] = converted
    return padded
