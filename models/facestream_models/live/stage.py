"""Trains the `live` network: `facestream-train live speech --config FILE --data CORPUS --out DIR`."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facestream_models.corpus.phones import MERGED, SILENCE
from facestream_models.corpus.real import is_grid_held_out
from facestream_models.corpus.store import CorpusReader, read_shard
from facestream_models.live.data import Batch, Material, Mixture, Unchanged
from facestream_models.live.lips import read_clips
from facestream_models.live.losses import LiveLoss, LossWeights, gap_of
from facestream_models.live.network import STEP_RATE, LiveNetwork, LiveOutput, LiveShape
from facestream_models.live.weights import load_network
from facestream_models.training.config import read_config
from facestream_models.training.run import WEIGHTS, Run, RunConfig

VALIDATION_ROWS = 8


@dataclass(frozen=True)
class LiveConfig:
    """Everything a run depends on besides the corpus. A batch has `rows` windows of `steps` steps of 20 ms.

    `begin_with` names a run beside this one whose weights are the beginning; `measured_lips` is the folder of GRID
    speaker s1 (audio-N.opus, curves.npz) in the corpus, empty for none. Compiling needs a C++ compiler and is a fifth
    faster.
    """

    rows: int = 8
    steps: int = 300
    begin_with: str = ""
    measured_lips: str = ""
    compiled: bool = False
    validation_seconds: float = 300.0
    noises: int = 150
    run: RunConfig = field(default_factory=RunConfig)
    shape: LiveShape = field(default_factory=LiveShape)
    loss: LossWeights = field(default_factory=LossWeights)
    mixture: Mixture = field(default_factory=Mixture)


class LiveStage:
    """Speech in, phone classes and curves out."""

    def __init__(self, config: LiveConfig, material: Material, held_out: list[Batch]) -> None:
        self.config, self.material, self.held_out = config, material, held_out
        self.live = LiveNetwork(config.shape)
        self.listen = torch.compile(self.live.from_power) if config.compiled else self.live.from_power
        self.loss = LiveLoss(config.loss, config.shape.lookahead_steps)

    @property
    def network(self) -> nn.Module:
        return self.live

    @property
    def facts(self) -> Mapping[str, Any]:
        seconds = {name: round(value) for name, value in self.material.seconds().items()}
        return {"shape": asdict(self.config.shape), "seed": self.config.run.seed, "material_seconds": seconds}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        self.material.draw_with(random)
        batch = self.material.batch(self.config.rows, self.config.steps, self.config.mixture)
        output, _ = self.listen(batch.power, self.live.fresh_state(self.config.rows))
        return self.loss(output, batch)

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Accuracy over merged classes, of speech and of all, and what lips and curves miss."""
        assert isinstance(network, LiveNetwork)
        found: defaultdict[str, list[float]] = defaultdict(list)
        for batch in self.held_out:
            output, _ = network.from_power(batch.power, network.fresh_state(len(batch.power)))
            for name, value in self._figures(output, batch).items():
                found[name].append(value)
        return {name: float(np.mean(values)) for name, values in found.items()}

    def _figures(self, output: LiveOutput, batch: Batch) -> dict[str, float]:
        late = self.config.shape.lookahead_steps - 1
        wanted, heard = batch.classes[:, : -late or None], output.logits[:, late:]
        merged = torch.tensor(MERGED)
        truth, guess = wanted.argmax(dim=2), heard.argmax(dim=2)
        right = (merged[truth] == merged[guess]).float()
        speech = truth != SILENCE
        sealed = batch.contacts[:, : -late or None, 0] > 0.95
        gap = gap_of(output.curves)[:, late:]
        error = (output.curves[:, late:] - batch.curves[:, : -late or None]).abs()
        return {
            "accuracy": float(right[speech].mean()),
            "accuracy_all": float(right.mean()),
            "sealed": float((gap[sealed] < 0.04).float().mean()),
            "curve_error": float(error.mean()),
        }


def build_live(config_file: Path, data: Path, out: Path) -> Run:
    """Stage `speech`, from a folder made by `corpus.generate` and `teacher.label`."""
    config = read_config(config_file, LiveConfig)
    torch.manual_seed(config.run.seed)
    held_out = _held_out_batches(config, data / "validation")
    stage = LiveStage(config, _material(config, data), held_out)
    if config.begin_with:
        earlier = load_network(out.parent / config.begin_with / WEIGHTS)
        stage.live.load_state_dict(earlier.state_dict())
    return Run(stage, config.run, out)


def _material(config: LiveConfig, data: Path) -> Material:
    material = Material(config.shape.bands, np.random.default_rng(config.run.seed), config.noises)
    if config.measured_lips:
        for clip in read_clips(data / config.measured_lips):
            if not is_grid_held_out(clip.key):
                material.add_lips(clip.key, clip.audio, clip.lips)
    for path in CorpusReader(data / "train").new_shards():
        for utterance in read_shard(path):
            material.add(utterance)
    return material


def _held_out_batches(config: LiveConfig, folder: Path) -> list[Batch]:
    """Clean windows of voices that training never hears; none where the corpus has no such shard."""
    if not folder.is_dir():
        return []
    held = Material(config.shape.bands, np.random.default_rng(0), noises=1)
    for path in CorpusReader(folder).new_shards():
        for utterance in read_shard(path):
            held.add(utterance)
    if not held.speech:
        return []
    whole = Mixture(shares={source: 1.0 for source, _ in held.speech}, negatives=0.0, lips=0.0)
    held.augment = Unchanged(config.shape.bands, held.random)
    windows = int(config.validation_seconds * STEP_RATE / (VALIDATION_ROWS * config.steps))
    return [held.batch(VALIDATION_ROWS, config.steps, whole) for _ in range(windows)]
