"""Trains the `live` network: `python -m facestream_models.live.train --corpus DIR --config CONFIG.toml --out DIR`.

The learning rate follows the clock, so a run ends when its config says, whatever the machine; shards that appear while
it runs are picked up. Writes DIR/checkpoint.pt (resume by starting again), DIR/live.pt (the averaged weights) and
DIR/log.jsonl, one line a report.
"""

import argparse
import json
import logging
import math
import time
import tomllib
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facestream_models.corpus.phones import MERGED, SILENCE
from facestream_models.corpus.real import is_grid_held_out
from facestream_models.corpus.store import CorpusReader, read_shard
from facestream_models.live.data import Batch, Material, Mixture, Unchanged
from facestream_models.live.lips import read_clips
from facestream_models.live.losses import LiveLoss, LossWeights, gap_of
from facestream_models.live.network import LiveNetwork, LiveOutput, LiveShape, parameter_count

log = logging.getLogger("facestream.train")


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides the corpus; read from TOML, unknown keys refused."""

    seed: int = 1
    minutes: float = 60.0
    rows: int = 8
    steps: int = 300
    learning_rate: float = 1.5e-3
    warmup_minutes: float = 1.0
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    averaging: float = 0.998
    report_every: int = 50
    save_minutes: float = 3.0
    look_for_shards_minutes: float = 2.0
    validation_seconds: float = 300.0
    noises: int = 150
    shape: LiveShape = field(default_factory=LiveShape)
    loss: LossWeights = field(default_factory=LossWeights)
    mixture: Mixture = field(default_factory=Mixture)

    @classmethod
    def read(cls, path: Path) -> "TrainConfig":
        """Read a TOML file. Raises TypeError for a key that does not exist."""
        values: dict[str, Any] = tomllib.loads(path.read_text())
        return cls(
            shape=_shape_of(values.pop("shape", {})),
            loss=LossWeights(**values.pop("loss", {})),
            mixture=Mixture(**values.pop("mixture", {})),
            **values,
        )


class Average:
    """Exponential moving average of the weights: what is exported."""

    def __init__(self, network: LiveNetwork, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: LiveNetwork) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in network.state_dict().items():
            self.weights[name].lerp_(value, 1.0 - decay)


class Trainer:
    """One run: material, network, optimiser, clock."""

    def __init__(
        self, config: TrainConfig, corpus: Path, out: Path, grid: Path | None, *, compiled: bool = False
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.out = config, out
        self.random = np.random.default_rng(config.seed)
        self.material = Material(config.shape.bands, self.random, config.noises)
        self.reader = CorpusReader(corpus / "train")
        self.network = LiveNetwork(config.shape)
        self.listen = torch.compile(self.network.from_power) if compiled else self.network.from_power
        self.loss = LiveLoss(config.loss, config.shape.lookahead_steps)
        self.average = Average(self.network, config.averaging)
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        self.step, self.elapsed = 0, 0.0
        if grid:
            self._take_lips(grid)
        self.take_new_shards()
        self.validation = self._validation_batches(corpus / "validation")
        out.mkdir(parents=True, exist_ok=True)

    def take_new_shards(self) -> None:
        """Add what the generator has finished since the last look."""
        shards = self.reader.new_shards()
        for path in shards:
            for utterance in read_shard(path):
                self.material.add(utterance)
        if shards:
            self._log(event="material", seconds={k: round(v) for k, v in self.material.seconds().items()})

    def _take_lips(self, grid: Path) -> None:
        for clip in read_clips(grid):
            if not is_grid_held_out(clip.key):
                self.material.add_lips(clip.key, clip.audio, clip.lips)

    def _validation_batches(self, folder: Path) -> list[Batch]:
        """Clean windows of voices that training never hears; none while the corpus has no such shard."""
        if not folder.is_dir():
            return []
        held = Material(self.config.shape.bands, np.random.default_rng(0), noises=1)
        for path in CorpusReader(folder).new_shards():
            for utterance in read_shard(path):
                held.add(utterance)
        whole = Mixture(shares={source: 1.0 for source, _ in held.speech}, negatives=0.0, lips=0.0)
        held.augment = Unchanged(self.config.shape.bands, held.random)
        windows = int(self.config.validation_seconds / (8 * self.config.steps * 0.02))
        return [held.batch(8, self.config.steps, whole) for _ in range(windows if held.speech else 0)]

    def run(self) -> None:
        """Train until the clock runs out."""
        config = self.config
        total = config.minutes * 60.0
        began = time.monotonic() - self.elapsed
        saved = looked = began + self.elapsed
        sums: defaultdict[str, float] = defaultdict(float)
        self._log(event="start", step=self.step, parameters=parameter_count(self.network), config=asdict(config))
        while self.elapsed < total:
            rate = self._learning_rate(self.elapsed)
            for name, value in self._train_step(rate).items():
                sums[name] += value
            now = time.monotonic()
            self.elapsed = now - began
            if self.step % config.report_every == 0:
                self._log(
                    event="train", step=self.step, seconds=round(self.elapsed), rate=round(rate, 7),
                    **{name: round(value / config.report_every, 4) for name, value in sums.items()},
                )  # fmt: skip
                sums.clear()
            if now - looked > config.look_for_shards_minutes * 60.0:
                looked = now
                self.take_new_shards()
            if now - saved > config.save_minutes * 60.0:
                saved = now
                self.save()
                self._validate()
        self.save()
        self._validate()
        self._log(event="end", step=self.step, seconds=round(self.elapsed))

    def _learning_rate(self, elapsed: float) -> float:
        config = self.config
        warm = min(1.0, (elapsed + 5.0) / (config.warmup_minutes * 60.0))
        return (
            config.learning_rate
            * warm
            * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * elapsed / (config.minutes * 60.0))))
        )

    def _train_step(self, rate: float) -> dict[str, float]:
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = self.material.batch(config.rows, config.steps, config.mixture)
        self.network.train()
        output, _ = self.listen(batch.power, self.network.fresh_state(config.rows))
        terms = self.loss(output, batch)
        total = torch.stack(list(terms.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip_norm)
        self.optimiser.step()
        self.average.update(self.network)
        self.step += 1
        return {name: float(term.detach()) for name, term in terms.items()}

    @torch.no_grad()
    def _validate(self) -> None:
        if not self.validation:
            return
        network = LiveNetwork(self.config.shape)
        network.load_state_dict(self.average.weights)
        network.eval()
        figures: defaultdict[str, list[float]] = defaultdict(list)
        for batch in self.validation:
            output, _ = network.from_power(batch.power, network.fresh_state(len(batch.power)))
            for name, value in self._figures(output, batch).items():
                figures[name].append(value)
        self._log(event="validation", step=self.step, **{k: round(float(np.mean(v)), 4) for k, v in figures.items()})

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

    def save(self) -> None:
        """Write the checkpoint to resume from and the averaged weights."""
        whole = {
            "step": self.step,
            "elapsed": self.elapsed,
            "network": self.network.state_dict(),
            "average": self.average.weights,
            "updates": self.average.updates,
            "optimiser": self.optimiser.state_dict(),
        }
        for name, content in (("checkpoint.pt", whole), ("live.pt", self._weights())):
            temporary = self.out / f".{name}.part"
            torch.save(content, temporary)
            temporary.replace(self.out / name)

    def _weights(self) -> dict[str, Any]:
        shape = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self.config.shape).items()}
        facts = {
            "step": self.step,
            "minutes": round(self.elapsed / 60.0, 1),
            "seed": self.config.seed,
            "material_seconds": {name: round(value) for name, value in self.material.seconds().items()},
        }
        return {"shape": shape, "weights": self.average.weights, "facts": facts}

    def resume(self) -> None:
        """Go on from DIR/checkpoint.pt if there is one."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        stored = torch.load(path, weights_only=True)
        self.network.load_state_dict(stored["network"])
        self.average.weights, self.average.updates = stored["average"], stored["updates"]
        self.optimiser.load_state_dict(stored["optimiser"])
        self.step, self.elapsed = stored["step"], stored["elapsed"]

    def start_from(self, weights: Path) -> None:
        """Take the weights of an earlier run as the beginning of this one."""
        network = load_network(weights)
        self.network.load_state_dict(network.state_dict())
        self.average = Average(self.network, self.config.averaging)

    def _log(self, **values: Any) -> None:
        log.info("%s", " ".join(f"{k}={v}" for k, v in values.items() if k != "config"))
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(values) + "\n")


def _shape_of(stored: dict[str, Any]) -> LiveShape:
    """A shape from TOML or a checkpoint, where tuples are lists."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return LiveShape(**values)


def load_network(path: Path) -> LiveNetwork:
    """The averaged network of a run's `live.pt`, ready to use."""
    stored = torch.load(path, weights_only=True)
    network = LiveNetwork(_shape_of(stored["shape"]))
    network.load_state_dict(stored["weights"])
    return network.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="folder made by facestream_models.corpus.generate")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--grid", type=Path, help="folder of GRID speaker s1: audio-N.opus, curves.npz")
    parser.add_argument("--start-from", type=Path, help="live.pt of an earlier run")
    parser.add_argument("--compile", action="store_true", help="a fifth faster; needs a C++ compiler")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    config = TrainConfig.read(arguments.config)
    trainer = Trainer(config, arguments.corpus, arguments.out, arguments.grid, compiled=arguments.compile)
    if arguments.start_from:
        trainer.start_from(arguments.start_from)
    trainer.resume()
    trainer.run()


if __name__ == "__main__":
    main()
