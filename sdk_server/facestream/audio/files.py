"""Speech from a file: WAV, FLAC, OGG, MP3."""

from pathlib import Path

import numpy as np
import soundfile

from facestream.audio.pcm import MAX_CHANNEL_COUNT, check_sample_rate, check_samples
from facestream.errors import AudioError
from facestream.types import Float32


def read_audio(path: Path) -> tuple[Float32, int]:
    """Mono samples `[T]` of a file and their rate in Hz; channels are averaged.

    Raises `AudioError` naming the file for one that is missing, empty, not audio, or outside the limits.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if not 1 <= file.channels <= MAX_CHANNEL_COUNT:
                raise AudioError(str(path), f"{file.channels} channels", f"1 to {MAX_CHANNEL_COUNT} channels")
            check_sample_rate(file.samplerate)
            samples = file.read(dtype="float32", always_2d=True)
            rate_hz = file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(str(path), _what_was_found(path), "an audio file: wav, flac, ogg or mp3") from error
    if not len(samples):
        raise AudioError(str(path), "a file without samples", "at least one sample of audio")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    check_samples(mono, str(path))
    return np.ascontiguousarray(mono), rate_hz


def _what_was_found(path: Path) -> str:
    if not path.exists():
        return "no such file"
    if path.is_dir():
        return "a folder"
    size = path.stat().st_size
    return "an empty file" if size == 0 else f"{size} bytes that are not audio"
