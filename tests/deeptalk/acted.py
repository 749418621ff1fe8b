"""Takes whose sound and motion both tell which frame they are, for the tests of training."""

from dataclasses import replace

import numpy as np

from facestream_models.corpus.emotional_take import MOTION_SIZE, Take
from facestream_models.corpus.emotions import Act
from facestream_models.corpus.phones import INDEX
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


def babbling(seed: int, syllables: int = 8) -> Take:
    """A neutral take that says p and a by turns, 160 ms each, with a jaw that follows."""
    made = acted(syllables * 0.32, 0, seed)
    edges = np.arange(2 * syllables + 1, dtype=np.int32) * 2560
    kinds = np.tile(np.array([INDEX["PP"], INDEX["aa"]], np.int8), syllables)
    said = replace(made.utterance, phones=("p", "a") * syllables, classes=kinds, starts=edges[:-1], ends=edges[1:])
    motion = np.zeros_like(made.motion)
    motion[:, 50] = 0.2 * (np.arange(len(motion)) // 4 % 2)
    return replace(made, utterance=said, motion=motion)
