"""Takes in which sound, face and head follow rules that a small network can learn, and speakers that differ in them."""

import numpy as np
import torch

from facestream_models.corpus.emotional_take import MOTION_SIZE, Take
from facestream_models.corpus.emotions import Act
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.corpus.store import Utterance

FRAME_SAMPLES = 640


def spoken(speaker, number, frames=120, emotion=0, *, alike=False):
    """The jaw follows loudness, as far as the speaker likes; smile, tempo and size of nods are the speaker's too."""
    manner = np.random.default_rng(0 if alike else 1000 + speaker)
    gain, smile, tempo, nod = manner.uniform([0.1, -2.0, 1.0, 0.02], [0.4, 2.0, 6.0, 0.15])
    random = np.random.default_rng([speaker, number])
    loud = np.repeat(random.uniform(0, 1, -(-frames // 5)), 5)[:frames]
    audio = (loud[:, None] * 8000.0 * np.ones(FRAME_SAMPLES)).astype(np.int16).ravel()
    motion = np.zeros((frames, MOTION_SIZE), np.float32)
    motion[:, 0] = smile
    motion[:, 1] = 0.3 * random.normal(size=frames)
    motion[:, 50] = gain * loud
    head = np.zeros((frames, 3), np.float32)
    head[:, 0] = nod * np.sin(tempo * (np.arange(frames) / 25.0) + random.uniform(0, 6.0))
    samples = len(audio)
    said = Utterance(
        f"{speaker}-{number}", "test", "en", "voice", "", audio, ("_",), np.zeros(1, np.int8),
        np.zeros(1, np.int32), np.array([samples], np.int32),
    )  # fmt: skip
    nothing = np.zeros((frames, 52), np.float32)
    traits = np.ones(len(TRAITS), np.float32)
    traits[TRAITS.index("jaw_scale")], traits[TRAITS.index("head_amplitude")] = gain, nod
    return Take(said, Act(emotion, 1.0), f"speaker {speaker}", traits, 25, nothing, motion, head)


def loudness(audio):
    """Audio [1, 640 F] -> [1, F, 4]: what stands in for a listener."""
    frames = audio.reshape(1, -1, FRAME_SAMPLES)
    return torch.stack([frames.mean(dim=2), frames.abs().amax(dim=2)], dim=2).repeat(1, 1, 2)
