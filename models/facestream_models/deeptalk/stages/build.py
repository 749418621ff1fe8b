"""Puts stages together from files: configuration, takes, head."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from facestream.retarget.profile import load_profile, shipped_profile_path
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.stages.embedding import EmbeddingConfig, EmbeddingStage
from facestream_models.deeptalk.stages.frame_emotion import FrameEmotionConfig, FrameEmotionStage
from facestream_models.deeptalk.stages.prior import PriorConfig, PriorStage
from facestream_models.deeptalk.stages.windows import TakeWindows
from facestream_models.flame.head import load_head
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.training.config import from_values, read_config
from facestream_models.training.run import WEIGHTS, Run


def takes_of(data: Path, part: str) -> TakeWindows:
    """The takes of `data`/`part`, whose motion must be that of the shipped head."""
    return TakeWindows(iterate_takes(data / part, load_profile().head_digest))


def shipped_mesh() -> FaceMesh:
    """The face of the shipped head."""
    return FaceMesh(load_head(shipped_profile_path().parent / "open_head.npz"))


def build_prior(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `prior`."""
    config = read_config(config_file, PriorConfig)
    torch.manual_seed(config.run.seed)
    stage = PriorStage(config, takes_of(data, "train"), takes_of(data, "validation"), shipped_mesh())
    return Run(stage, config.run, out)


def build_frame_emotion(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `frame-emotion`."""
    config = read_config(config_file, FrameEmotionConfig)
    torch.manual_seed(config.run.seed)
    return Run(FrameEmotionStage(config, takes_of(data, "train"), takes_of(data, "validation")), config.run, out)


def build_embedding(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `embedding`; takes the classifier from the folder `frame-emotion` beside `out`."""
    config = read_config(config_file, EmbeddingConfig)
    torch.manual_seed(config.run.seed)
    classifier = load_frame_emotion(out.parent / "frame-emotion" / WEIGHTS)
    return Run(
        EmbeddingStage(config, takes_of(data, "train"), takes_of(data, "validation"), classifier), config.run, out
    )


def load_frame_emotion(path: Path) -> FrameEmotion:
    """The classifier of stage `frame-emotion`. Raises FileNotFoundError where that was not trained yet."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; train stage frame-emotion into {path.parent} first")
    stored = torch.load(path, weights_only=True)
    network = FrameEmotion(from_values(stored["facts"]["shape"], FrameEmotionShape))
    network.load_state_dict(stored["weights"])
    return network


STAGES: Mapping[str, Callable[[Path, Path, Path], Run]] = {
    "frame-emotion": build_frame_emotion,
    "embedding": build_embedding,
    "prior": build_prior,
}
"""Stage -> what makes its run from config file, data folder and output folder."""
