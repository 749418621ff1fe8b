"""GRID speaker s1 as a second task: real speech with the lip distance measured from its video (CC BY 4.0).

A fixed tenth of the clips stays out of all training (`corpus.real.is_grid_held_out`); the figures `quality.grid.*` are
taken there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

CLIP_SAMPLES = 48_000
CLIPS_PER_FILE = 100
VIDEO_RATE = 25


class LipClip(NamedTuple):
    """`audio` float32 [48000] at 16 kHz, `lips` float32 [150]: inner-lip distance over eye corners, at 50 Hz."""

    key: str
    audio: NDArray[np.float32]
    lips: NDArray[np.float32]


def read_clips(folder: Path) -> Iterator[LipClip]:
    """Every clip of a folder with `audio-N.opus` and `curves.npz`, in order."""
    with np.load(folder / "curves.npz", allow_pickle=False) as stored:
        keys, distances = stored["ids"], stored["lips"][..., 0].astype(np.float32)
    for number in range(-(-len(keys) // CLIPS_PER_FILE)):
        audio, rate = soundfile.read(folder / f"audio-{number}.opus", dtype="float32")
        if rate != 16_000:
            raise ValueError(f"{folder}/audio-{number}.opus is at {rate} Hz; expected 16000")
        for offset in range(min(CLIPS_PER_FILE, len(keys) - CLIPS_PER_FILE * number)):
            index = CLIPS_PER_FILE * number + offset
            clip = audio[CLIP_SAMPLES * offset : CLIP_SAMPLES * (offset + 1)]
            lips = np.interp(np.arange(150) / 50, np.arange(distances.shape[1]) / VIDEO_RATE, distances[index])
            yield LipClip(str(keys[index]), clip, lips.astype(np.float32))
