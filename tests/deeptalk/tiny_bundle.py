"""A compact deeptalk of a few thousand random numbers as a whole bundle, for tests of what serves it."""

from pathlib import Path

import numpy as np
import torch

from facestream_models.corpus.phones import CLASSES
from facestream_models.deeptalk.compact import LIPS_WIDTH, CompactDeepTalk, CompactShape
from facestream_models.deeptalk.emotion_embedding import SequenceShape
from facestream_models.deeptalk.generator import GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPriorShape
from facestream_models.encoders.compact_emotion import CompactEmotionShape
from facestream_models.export.deeptalk import write_bundle
from facestream_models.live.network import HOP_STEPS
from tests.live.tiny import TINY

WIDTH = 16
"""Of the emotion space."""

TINY_COMPACT = CompactShape(
    live=TINY,
    emotion_encoder=CompactEmotionShape(bands=20, channels=12, width=16),
    emotion=SequenceShape(width=16, layers=1, longest=250, cuts=True, heads=2, hidden=24, embedding=WIDTH, dropout=0.0),
    prior=MotionPriorShape(width=16, codes=24, hidden=24, decoder_hidden=24, heads=2, dropout=0.0),
    generator=GeneratorShape(
        content=TINY.width + HOP_STEPS * len(CLASSES) + LIPS_WIDTH, emotion=WIDTH, actors=3, width=16, heads=2,
        hidden=24, predictor_width=24, predictor_layers=1, codes=24, dropout=0.0,
    ),
)  # fmt: skip


def tiny_compact() -> CompactDeepTalk:
    """Random, and livelier than fresh weights: sound and emotion both change the codes."""
    torch.manual_seed(6)
    network = CompactDeepTalk(TINY_COMPACT)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight.normal_(std=1.4 * weight[0].numel() ** -0.5)
            elif "norm" not in name:
                weight.normal_(std=0.3)
        network.generator.emotion.weight.mul_(8.0)
        network.generator.content.weight.mul_(0.5)
        network.prior.leave.weight.mul_(0.1)
    return network.eval()


def tiny_presets() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    mean = random.standard_normal((3, WIDTH)).astype(np.float32)
    return {
        "names": np.array(["neutral", "happy", "sad"]),
        "mean": mean / np.linalg.norm(mean, axis=1, keepdims=True),
        "log_variance": np.full((3, WIDTH), -2.0, np.float32),
    }


def write_tiny_deeptalk(folder: Path) -> Path:
    """The bundle, in `folder`."""
    write_bundle(tiny_compact(), tiny_presets(), folder, version="1.0", training={"seed": 3}, card="Random.\n")
    return folder
