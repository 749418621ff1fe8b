"""Speech of five voices built from recorded people, with phone times: the `flite` program.

`flite -psdur` prints every phone of the CMU set with the second it ends at. Needs the Debian package `flite`
(BSD-style licence, voices included).
"""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from facestream_models.corpus.phones import parts_of
from facestream_models.corpus.segments import Segment, pause

VOICES = ("slt", "rms", "awb", "kal16", "kal")

CMU_TO_IPA = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "eh": "ɛ", "er": "ɝ",
    "ey": "eɪ", "ih": "ɪ", "iy": "i", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "u", "b": "b", "ch": "ʧ", "d": "d",
    "dh": "ð", "dx": "ɾ", "f": "f", "g": "ɡ", "hh": "h", "hv": "ɦ", "jh": "ʤ", "k": "k", "l": "l", "m": "m", "n": "n",
    "ng": "ŋ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "v": "v", "w": "w", "y": "j", "z": "z",
    "zh": "ʒ", "el": "əl", "em": "m", "en": "ən", "pau": "", "ssil": "", "brth": "",
}  # fmt: skip


def speak(
    text: str, voice: str, *, stretch: float = 1.0, pitch_mean: float | None = None
) -> tuple[NDArray[np.float32], list[Segment]]:
    """Speak English `text`: float32 audio [T] at 16 kHz and segments in seconds.

    `stretch` over 1 is slower; `pitch_mean` in Hz moves the voice. Raises RuntimeError when flite fails.
    """
    if voice not in VOICES:
        raise ValueError(f"flite has no voice {voice!r}; known: {', '.join(VOICES)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-psdur", "-voice", voice, "--setf", f"duration_stretch={stretch:.3f}"]
        if pitch_mean is not None:
            command += ["--setf", f"int_f0_target_mean={pitch_mean:.1f}"]
        try:
            done = subprocess.run([*command, "-t", text, "-o", str(path)], check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise RuntimeError("flite is not installed; `apt-get install flite` and try again") from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"flite failed on {text!r}: {error.stderr.strip()}") from error
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768.0
    audio = samples if rate == 16_000 else soxr.resample(samples, rate, 16_000, quality="HQ")
    return audio, segments_of(done.stdout, len(audio) / 16_000)


def segments_of(listing: str, duration: float) -> list[Segment]:
    """The `phone:end` listing of -psdur -> segments in seconds, clipped to `duration`."""
    segments: list[Segment] = []
    start = 0.0
    for item in listing.split():
        phone, _, end_text = item.rpartition(":")
        if phone not in CMU_TO_IPA:
            raise ValueError(f"flite printed an unknown phone {phone!r} in {listing[:80]!r}")
        end = min(float(end_text), duration)
        parts = parts_of(CMU_TO_IPA[phone], "en-us")
        if not parts and end > start:
            segments.append(pause(start, end))
        now = start
        for part in parts:
            stop = now + part.share * (end - start)
            if stop > now:
                segments.append(Segment(part.symbol, part.class_index, now, stop))
            now = stop
        start = max(start, end)
    return segments
