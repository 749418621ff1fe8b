"""Puts stages together from files: configuration, takes, what the stages before them left."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from facestream.retarget.profile import load_profile
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.stages.denoiser import DenoiserConfig, DenoiserStage
from facestream_models.diffposetalk.stages.recordings import Hear, Recordings
from facestream_models.diffposetalk.stages.style import StyleConfig, StyleNetwork, StyleStage
from facestream_models.live.content import LiveContent
from facestream_models.live.weights import load_network
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.training.config import from_values, read_config
from facestream_models.training.run import WEIGHTS, Run, load_stage


def recordings_of(data: Path, part: str, hear: Hear | None = None) -> Recordings:
    """The speakers of `data`/`part`, whose motion must be that of the shipped head."""
    return Recordings(iterate_takes(data / part, load_profile().head_digest), hear)


def build_style(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `style`."""
    config = read_config(config_file, StyleConfig)
    torch.manual_seed(config.run.seed)
    stage = StyleStage(config, recordings_of(data, "train"), recordings_of(data, "validation"))
    return Run(stage, config.run, out)


def build_denoiser(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `denoiser`; the folders `live` (a run of that network) and `style` lie beside `out`."""
    config = read_config(config_file, DenoiserConfig)
    torch.manual_seed(config.run.seed)
    live = out.parent / "live" / WEIGHTS
    if not live.exists():
        raise FileNotFoundError(f"{live}: not there; train the live network into {live.parent} first")
    styles = load_styles(out.parent)
    if styles.encoder.enter.in_features != config.shape.motion_count or styles.width != config.shape.style_count:
        raise ValueError(
            f"{config_file}: shape has styles of {config.shape.style_count} numbers from {config.shape.motion_count}; "
            f"those trained beside {out} have {styles.width} from {styles.encoder.enter.in_features}"
        )
    hear = LiveContent(load_network(live))
    training, held_out = (recordings_of(data, part, hear) for part in ("train", "validation"))
    return Run(DenoiserStage(config, training, held_out, styles, shipped_mesh()), config.run, out)


def load_styles(runs: Path) -> StyleNetwork:
    """The encoder that stage `style` left in its folder under `runs`, ready to use."""
    stored = load_stage(runs, "style")
    network = StyleNetwork(from_values(stored["facts"]["shape"], DenoiserShape))
    network.load_state_dict(stored["weights"])
    return network.eval()


STAGES: Mapping[str, Callable[[Path, Path, Path], Run]] = {"style": build_style, "denoiser": build_denoiser}
"""Stage -> what makes its run from config file, data folder and output folder."""
