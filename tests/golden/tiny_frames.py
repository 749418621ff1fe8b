"""Golden frames of a seeded small model on a seeded head: whatever changes a frame on the way shows here.

python -m tests.golden.tiny_frames        regenerate, and print how far old and new lie apart
"""

import tempfile
from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.engines.bundle import Bundle
from facestream.engines.onnx import OnnxEngine
from facestream.motion.live import LiveMotion
from facestream.retarget.profile import EXPRESSION_ROWS, EYE_ROWS, JAW_ROWS, RigProfile
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.timebase import FrameRate
from facestream.types import Frames
from tests.engines.tiny_model import write_tiny_bundle
from tests.serving.streams import babble

PATH = Path(__file__).with_name("tiny_frames.npz")
CASES = {
    "16000_30": StreamOptions(seed=11),
    "44100_24": StreamOptions(sample_rate_hz=44100, frame_rate=FrameRate(24), seed=12),
    "48000_2997": StreamOptions(sample_rate_hz=48000, frame_rate=FrameRate(30000, 1001), seed=13),
}


def seeded_head() -> RigProfile:
    """A head that no artist made, so that work on the shipped one leaves these frames alone."""
    rng = np.random.default_rng(21)
    rows = (*EXPRESSION_ROWS, *JAW_ROWS, *EYE_ROWS, "tongueOut")
    matrix = rng.normal(0, 0.5, (len(rows), CURVE_COUNT)).astype(np.float32)
    matrix[50] = 0.0
    matrix[50, ARKIT_NAMES.index("jawOpen")] = 0.4
    return RigProfile(
        arkit_to_motion=matrix,
        row_names=rows,
        coefficient_weights=np.ones(len(rows), np.float32),
        landmark_names=("chin",),
        landmark_neutral=np.zeros((1, 3), np.float32),
        landmark_dirs=np.zeros((1, 3, CURVE_COUNT), np.float32),
        head_digest="0" * 64,
    )


def make_frames() -> dict[str, Frames]:
    """The frames of every case, as the code makes them now."""
    with tempfile.TemporaryDirectory() as folder:
        engine = OnnxEngine(Bundle.open(write_tiny_bundle(Path(folder))))
    pipeline = Pipeline(Animator(LiveMotion(engine), Retargeter(seeded_head(), engine.model.extras)))
    return {
        name: animate(babble(options.seed, options.sample_rate_hz, 1.5), options, pipeline)
        for name, options in CASES.items()
    }


def main() -> None:
    """Write the golden file anew."""
    new = {name: frames.weights for name, frames in make_frames().items()}
    if PATH.exists():
        with np.load(PATH, allow_pickle=False) as old:
            for name, weights in new.items():
                same_shape = name in old and old[name].shape == weights.shape
                print(name, f"largest change {np.abs(old[name] - weights).max():.2e}" if same_shape else "new shape")
    np.savez_compressed(PATH, **new)


if __name__ == "__main__":
    main()
