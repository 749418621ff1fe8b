"""The real speech, noise and music that quality is measured on; none of it is trained on."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.coarticulation import speech_curves
from facestream_models.corpus.phones import INDEX, SILENCE
from facestream_models.corpus.real import is_grid_held_out
from facestream_models.corpus.store import Utterance
from facestream_models.live.lips import LipClip, read_clips
from facestream_models.metrics.segments import Segments

SAMPLE_RATE = 16_000
Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SpeechClip:
    """Real speech with aligned phones and the curves that follow from them, `reference` [F, 15] at 50 Hz."""

    key: str
    audio: Samples
    segments: Segments
    reference: NDArray[np.float32]

    @classmethod
    def make(cls, key: str, audio: Samples, classes: NDArray[np.int64], starts: NDArray[np.int64],
             ends: NDArray[np.int64]) -> "SpeechClip":  # fmt: skip
        """Segments in samples; what the audio holds after the last one counts as silence."""
        if ends[-1] < len(audio):
            classes, starts, ends = (
                np.append(classes, SILENCE),
                np.append(starts, ends[-1]),
                np.append(ends, len(audio)),
            )
        reference = speech_curves(classes, starts, ends, audio, frames=len(audio) // 320 + 1)
        return cls(key, audio, Segments(classes, starts / SAMPLE_RATE, ends / SAMPLE_RATE), reference)


def decode(path: Path, seconds: float | None = None) -> Samples:
    """Any audio file as 16 kHz mono float32 [T], by ffmpeg."""
    limit = [] if seconds is None else ["-t", str(seconds)]
    form = ["-f", "g722"] if path.suffix == ".g722" else []
    command = ["ffmpeg", "-v", "error", *form, "-i", str(path), *limit, "-ac", "1", "-ar", "16000", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


def english_prompts(labels: Path, audio: Path) -> list[SpeechClip]:
    """The prompts that `labels` (classes.json) times, decoded from `audio` (folder of KEY.g722)."""
    clips = []
    for key, entry in json.loads(labels.read_text()).items():
        samples = decode(audio / f"{key}.g722")
        rows = [row for row in entry["classes"] if row[1] * SAMPLE_RATE < len(samples)]
        classes = np.array([INDEX[row[0]] for row in rows])
        starts, ends = (np.array([int(row[n] * SAMPLE_RATE) for row in rows]) for n in (1, 2))
        clips.append(SpeechClip.make(key, samples, classes, starts, np.minimum(ends, len(samples))))
    return clips


def from_corpus(utterance: Utterance) -> SpeechClip:
    """An aligned utterance of the corpus as an evaluation clip."""
    audio = utterance.audio.astype(np.float32) / 32768.0
    return SpeechClip.make(
        utterance.key, audio, utterance.classes.astype(np.int64), utterance.starts.astype(np.int64),
        utterance.ends.astype(np.int64),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class LipsSet:
    """Clips with measured lips; `onsets[n]` are the starts in seconds of clip n's words that begin with b or p."""

    clips: list[LipClip]
    onsets: list[NDArray[np.float64]]


def grid_held_out(folder: Path) -> LipsSet:
    """The tenth of GRID speaker s1 that training never sees."""
    words = json.loads((folder / "words.json").read_text())
    clips = [clip for clip in read_clips(folder) if is_grid_held_out(clip.key)]
    return LipsSet(clips, [np.array([row[0] for row in words[clip.key] if row[2][0] in "bp"]) for clip in clips])


def grid_other(folder: Path) -> LipsSet:
    """Nine GRID clips of other recordings; no word times."""
    clips = list(read_clips(folder))
    return LipsSet(clips, [np.zeros(0) for _ in clips])


def with_pink_noise(audio: Samples, ratio_db: float, random: np.random.Generator) -> Samples:
    """`audio` plus pink noise at the given ratio of mean powers."""
    noise = pink_noise(len(audio), random)
    wanted = np.mean(audio**2) * 10.0 ** (-ratio_db / 10.0)
    noisy: Samples = (audio + noise * np.sqrt(wanted / np.mean(noise**2))).astype(np.float32)
    return noisy


def pink_noise(count: int, random: np.random.Generator) -> Samples:
    """Noise whose power falls 3 dB an octave; RMS 1."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def without_speech(music: Path, random: np.random.Generator) -> Iterator[tuple[str, list[Samples]]]:
    """Sounds to which the mouth must stay shut, by name."""
    yield "music", [decode(path, seconds=60.0) for path in sorted(music.glob("*.g722"))]
    yield "pink", [pink_noise(20 * SAMPLE_RATE, random) * np.float32(10 ** (-30 / 20))]
    yield "white", [random.standard_normal(20 * SAMPLE_RATE).astype(np.float32) * np.float32(10 ** (-30 / 20))]
    yield "silence", [np.zeros(20 * SAMPLE_RATE, np.float32)]
