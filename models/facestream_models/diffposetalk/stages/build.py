"""Puts stages together from files: configuration, takes, what the stages before them left."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facestream.retarget.profile import load_profile
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.diffposetalk.bundle import STYLES
from facestream_models.diffposetalk.compact import ContentMap
from facestream_models.diffposetalk.head_trust import HeadTrust
from facestream_models.diffposetalk.heard_speech import HeardSpeech, levels
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.stages.beats import BeatsConfig, BeatsNetwork, BeatsStage
from facestream_models.diffposetalk.stages.denoiser import DenoiserConfig, DenoiserStage
from facestream_models.diffposetalk.stages.recordings import Hear, Recordings
from facestream_models.diffposetalk.stages.student import StudentConfig, StudentStage
from facestream_models.diffposetalk.stages.style import StyleConfig, StyleNetwork, StyleStage
from facestream_models.diffposetalk.stages.trust import TrustConfig, TrustStage
from facestream_models.diffposetalk.student import Student
from facestream_models.live.weights import load_network
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.training.config import from_values, read_config
from facestream_models.training.run import WEIGHTS, Run, load_stage


def both_parts(data: Path, hear: Hear | None = None) -> tuple[Recordings, Recordings]:
    """The speakers to learn from and those held out, whose motion must be that of the shipped head."""
    digest = load_profile().head_digest
    training, held_out = (Recordings(iterate_takes(data / part, digest), hear) for part in ("train", "validation"))
    return training, held_out


def build_style(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `style`."""
    config = read_config(config_file, StyleConfig)
    torch.manual_seed(config.run.seed)
    return Run(StyleStage(config, *both_parts(data)), config.run, out)


def build_beats(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `beats`."""
    config = read_config(config_file, BeatsConfig)
    torch.manual_seed(config.run.seed)
    return Run(BeatsStage(config, *both_parts(data, levels)), config.run, out)


def build_denoiser(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `denoiser`; the folders `live` (a run of that network) and `style` lie beside `out`.

    It begins with what stage `beats` found, where there is such a folder, too.
    """
    config = read_config(config_file, DenoiserConfig)
    torch.manual_seed(config.run.seed)
    hear = _hearing(out.parent)
    styles = load_styles(out.parent)
    if styles.encoder.enter.in_features != config.shape.motion_count or styles.width != config.shape.style_count:
        raise ValueError(
            f"{config_file}: shape has styles of {config.shape.style_count} numbers from {config.shape.motion_count}; "
            f"those trained beside {out} have {styles.width} from {styles.encoder.enter.in_features}"
        )
    stage = DenoiserStage(config, *both_parts(data, hear), styles, shipped_mesh())
    if (out.parent / "beats" / WEIGHTS).exists():
        found = BeatsNetwork(config.shape.width)
        found.load_state_dict(load_stage(out.parent, "beats")["weights"])
        stage.speech.beats.load_state_dict(found.beats.state_dict())
    return Run(stage, config.run, out)


def build_trust(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `trust`; the folders `live`, `style` and `denoiser`, whose heads it is taught for, lie beside `out`."""
    config = read_config(config_file, TrustConfig)
    torch.manual_seed(config.run.seed)
    denoiser, _ = load_denoiser(out.parent)
    hear = _hearing(out.parent)
    drawing = DenoiserConfig(
        rows=config.rows, content_dropout=0.0, level_range=config.level_range, head_range=config.head_range,
        shape=denoiser.shape,
    )  # fmt: skip
    windows = DenoiserStage(drawing, *both_parts(data, hear), load_styles(out.parent), shipped_mesh())
    windows.model.load_state_dict(denoiser.state_dict())
    return Run(TrustStage(config, windows, {"denoiser": weights_digest(denoiser)}), config.run, out)


def build_student(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `student`; the folders `live`, `style`, `denoiser` and `trust`, all of its teacher, lie beside `out`.

    Named styles, where it is to wear any, lie there in a file as bundles have it.
    """
    config = read_config(config_file, StudentConfig)
    torch.manual_seed(config.run.seed)
    runs = out.parent
    teacher, stored = load_denoiser(runs)
    told = {"shape": stored["facts"]["shape"], "teacher": weights_digest(teacher), "teacher_step": stored["step"]}
    teacher.denoiser.head_trust = load_head_trust(runs, teacher)
    parts = both_parts(data, _hearing(runs))
    named = _named_styles(runs / STYLES) if config.lessons.named > 0.0 else None
    stage = StudentStage(config, teacher, told, *parts, load_styles(runs), shipped_mesh(), named)
    if config.begin_with:
        stage.student.load_state_dict(load_stage(runs, config.begin_with)["weights"])
    return Run(stage, config.run, out)


def _named_styles(path: Path) -> Tensor:
    """The styles [N, S] in the file at `path`."""
    with np.load(path) as stored:
        return torch.from_numpy(stored["style"]).float()


def _hearing(runs: Path) -> HeardSpeech:
    """What is heard with the live network in `runs`. Raises FileNotFoundError where there is none."""
    live = runs / "live" / WEIGHTS
    if not live.exists():
        raise FileNotFoundError(f"{live}: not there; train the live network into {live.parent} first")
    return HeardSpeech(load_network(live))


def load_denoiser(runs: Path) -> tuple[DiffPoseTalk, dict[str, Any]]:
    """The network on contents that stage `denoiser` left in its folder under `runs`, ready to use, and what it said."""
    stored = load_stage(runs, "denoiser")
    shape = from_values(stored["facts"]["shape"], DenoiserShape)
    model = DiffPoseTalk(shape, ContentMap(shape.width, int(stored["facts"]["content"])))
    model.load_state_dict(stored["weights"])
    return model.eval(), stored


def load_head_trust(runs: Path, denoiser: DiffPoseTalk) -> HeadTrust | None:
    """What stage `trust` left in its folder under `runs`, ready to use, if there is one.

    Raises ValueError if it was taught behind another denoiser.
    """
    if not (runs / "trust" / WEIGHTS).exists():
        return None
    stored = load_stage(runs, "trust")
    if stored["facts"]["denoiser"] != weights_digest(denoiser):
        raise ValueError(
            f"{runs / 'trust'}: taught behind other weights than those in {runs / 'denoiser'}; train it again"
        )
    trust = denoiser.denoiser.fresh_head_trust()
    trust.load_state_dict(stored["weights"])
    return trust.eval()


def load_student(runs: Path, teacher: DiffPoseTalk) -> tuple[Student, dict[str, Any]]:
    """What stage `student` left, ready to use, and what it said. Raises ValueError if it learned from another."""
    stored = load_stage(runs, "student")
    if stored["facts"]["teacher"] != weights_digest(teacher):
        raise ValueError(
            f"{runs / 'student'}: learned from other weights (step {stored['facts']['teacher_step']}) than those in "
            f"{runs / 'denoiser'}; train stage student again"
        )
    student = Student(teacher.denoiser)
    student.load_state_dict(stored["weights"])
    return student.eval(), stored


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of all that a network keeps, to tell whether two are the same."""
    digest = hashlib.sha256()
    for name, values in network.state_dict().items():
        digest.update(name.encode())
        digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()


def load_styles(runs: Path) -> StyleNetwork:
    """The encoder that stage `style` left in its folder under `runs`, ready to use."""
    stored = load_stage(runs, "style")
    facts = stored["facts"]
    shape = from_values(facts["shape"], DenoiserShape)
    network = StyleNetwork(shape, tells_traits=facts.get("tells_traits", False))
    network.load_state_dict(stored["weights"])
    return network.eval()


STAGES: Mapping[str, Callable[[Path, Path, Path], Run]] = {
    "style": build_style,
    "beats": build_beats,
    "denoiser": build_denoiser,
    "trust": build_trust,
    "student": build_student,
}
"""Stage -> what makes its run from config file, data folder and output folder."""
