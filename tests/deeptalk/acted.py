"""Takes whose sound and motion both tell which frame they are, for the tests of training."""

import numpy as np

from facestream_models.corpus.emotional_take import MOTION_SIZE, Take
from facestream_models.corpus.emotions import Act
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.corpus.store import Utterance

FRAME_SAMPLES = 640


def acted(seconds: float, emotion: int, seed: int, speaker: str = "one") -> Take:
    """A take of one pause; coefficient 0 rises by 0.01 a frame, the samples of frame j are all j; emotions differ."""
    random = np.random.default_rng(seed)
    frames = round(seconds * 25)
    audio = np.repeat(np.arange(frames), FRAME_SAMPLES).astype(np.int16)
    samples = len(audio)
    said = Utterance(
        f"take-{seed}", "emotional", "en", speaker, "", audio, ("_",), np.zeros(1, np.int8),
        np.zeros(1, np.int32), np.array([samples], np.int32),
    )  # fmt: skip
    motion = np.tile(random.normal(0, 0.05, MOTION_SIZE), (frames, 1)).astype(np.float32)
    motion[:, 0] = 0.01 * np.arange(frames)
    motion[:, 1 + emotion] += 1.0
    nothing = np.zeros((frames, 52), np.float32)
    return Take(
        said, Act(emotion, 1.0), speaker, np.zeros(len(TRAITS), np.float32), 25, nothing, motion, nothing[:, :3]
    )
