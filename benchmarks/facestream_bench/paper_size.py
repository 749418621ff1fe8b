"""Bundles at the papers' sizes with random weights: what official checkpoints become, as far as speed is concerned.

    python -m facestream_bench.paper_size deeptalk FOLDER

Their motion means nothing, and drives the open head. What a step costs does not depend on weights.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facestream.engines.bundle import Bundle
from facestream.motion.diffposetalk.space import MotionStatistics
from facestream.retarget.profile import load_profile
from facestream_models.deeptalk.bundle import CARD
from facestream_models.deeptalk.bundle import write_manifest as write_deeptalk_manifest
from facestream_models.deeptalk.convert import ACTORS
from facestream_models.deeptalk.graph import export_graphs
from facestream_models.deeptalk.system import DeepTalk, DeepTalkShape
from facestream_models.diffposetalk.bundle import Pieces, System, write_bundle
from facestream_models.diffposetalk.convert import SAMPLING, TIMING
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.speech import SpeechFeatures
from facestream_models.diffposetalk.style_encoder import StyleEncoder, released_norms
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from facestream_models.export.manifest import cleared

LICENCE = "random numbers"
_CARD = "# Random weights\n\nAs large as the paper's, for measuring speed. Its motion means nothing.\n"


def write_deeptalk(folder: Path, shape: DeepTalkShape | None = None) -> Bundle:
    """DEEPTalk, 218 million numbers unless `shape` says otherwise. Raises `InvalidValue` for a folder in use."""
    torch.manual_seed(0)
    network = DeepTalk(shape).eval()
    _begin(folder)
    return write_deeptalk_manifest(
        folder, network, export_graphs(network, folder), name="deeptalk-paper-size", version="0.0",
        speakers=ACTORS[: network.shape.generator.actors], head_digest=load_profile().head_digest, licence=LICENCE,
        training={},
    )  # fmt: skip


def write_diffposetalk(
    folder: Path, shape: DenoiserShape | None = None, speech: SpeechTransformerShape | None = None
) -> Bundle:
    """DiffPoseTalk with head rotation, at the paper's size otherwise. Raises `InvalidValue` for a folder in use."""
    torch.manual_seed(0)
    shape = shape or DenoiserShape()
    model = DiffPoseTalk(shape, SpeechFeatures(shape.width, speech)).eval()
    style_encoder = StyleEncoder(shape, legacy_positions=True).eval()
    _livelier(model.denoiser)
    _begin(folder)
    ones = {size: np.ones(size, np.float32) for size in (100, 50, 6)}
    statistics = MotionStatistics(0 * ones[100], ones[100], 0 * ones[50], ones[50], 0 * ones[6], ones[6])
    return write_bundle(
        System(model, style_encoder, statistics, {}, released_norms(shape.style_count)), folder,
        name="diffposetalk-paper-size", version="0.0", timing=TIMING, pieces=Pieces(), sampling=SAMPLING,
        head_digest=load_profile().head_digest, licence=LICENCE, training={},
    )  # fmt: skip


WRITERS: Mapping[str, Callable[[Path], Bundle]] = {"deeptalk": write_deeptalk, "diffposetalk": write_diffposetalk}


def _begin(folder: Path) -> None:
    cleared(folder)
    (folder / CARD).write_text(_CARD, encoding="utf-8")


def _livelier(network: nn.Module) -> None:
    """Learned vectors begin at zero, where no two of them differ."""
    with torch.no_grad():
        for weight in network.parameters():
            if not weight.any():
                weight.normal_(std=0.02)


def main(words: Sequence[str] | None = None) -> None:
    """Write one of them."""
    parser = argparse.ArgumentParser("python -m facestream_bench.paper_size", description=__doc__)
    parser.add_argument("family", choices=sorted(WRITERS))
    parser.add_argument("folder", type=Path, help="new, or a bundle, which is replaced")
    arguments = parser.parse_args(words)
    print(WRITERS[arguments.family](arguments.folder).folder)


if __name__ == "__main__":
    main()
