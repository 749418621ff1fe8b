"""Golden frames of the shipped `live` model on the example clip.

python -m tests.golden.shipped_frames     regenerate, and print how far old and new lie apart
"""

from pathlib import Path

import numpy as np

from facestream.audio.files import read_audio
from facestream.cli.demo import EXAMPLE
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32

PATH = Path(__file__).with_name("shipped_frames.npz")
OPTIONS = StreamOptions(seed=1)
STEPS = 1000
"""Weights are stored in thousandths: finer than the tolerance, a tenth of the size."""


def make_weights() -> Float32:
    """Weights `[F, 52]` of the example clip, as the shipped model makes them now."""
    samples, rate_hz = read_audio(EXAMPLE)
    assert rate_hz == OPTIONS.sample_rate_hz
    return animate(samples, OPTIONS, open_pipeline("live")).weights


def golden_weights() -> Float32:
    """Weights `[F, 52]` as they were when the golden file was written."""
    with np.load(PATH, allow_pickle=False) as golden:
        weights: Float32 = golden["weights"].astype(np.float32) / np.float32(STEPS)
    return weights


def main() -> None:
    """Write the golden file anew."""
    new = make_weights()
    if PATH.exists():
        old = golden_weights()
        print(f"largest change {np.abs(old - new).max():.2e}" if old.shape == new.shape else "another number of frames")
    np.savez_compressed(PATH, weights=np.rint(new * STEPS).astype(np.uint16))


if __name__ == "__main__":
    main()
