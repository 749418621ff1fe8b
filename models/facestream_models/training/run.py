"""One training run: steps, schedule, log and checkpoints, whatever is trained.

A *stage* says what a step is asked for and how good the network is; the run does everything else. DIR/checkpoint.pt
continues a run that was stopped (start it again; it ends as if it had never stopped), DIR/weights.pt holds the averaged
weights for use, DIR/weights-STEP.pt those of earlier steps where asked for (see `average.py`), DIR/log.jsonl one line a
report with every weighted term.
"""

import json
import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

log = logging.getLogger("facestream.train")

CHECKPOINT, WEIGHTS, LOG = "checkpoint.pt", "weights.pt", "log.jsonl"


@dataclass(frozen=True)
class RunConfig:
    """How a stage is trained.

    The learning rate rises over `warmup_steps` and falls along a cosine to the share `falls_to` of itself. Weights of
    every `keep_every`-th step are kept (0: of the last one only), if they are saved at that step.
    """

    seed: int = 1
    steps: int = 2000
    learning_rate: float = 5e-4
    falls_to: float = 0.02
    warmup_steps: int = 100
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    averaging: float = 0.998
    report_every: int = 50
    validate_every: int = 500
    save_every: int = 250
    keep_every: int = 0


class Stage(Protocol):
    """What is trained."""

    @property
    def network(self) -> nn.Module:
        """Everything whose weights change, and the buffers that go with them."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What `weights.pt` says beside the weights: shape, data, digests."""
        ...

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        """Weighted terms of the loss on a new batch; their sum is minimised.

        All randomness is `random` or torch's. `progress` is the share of the run that is done, 0..1.
        """
        ...

    def figures(self, network: nn.Module) -> dict[str, float]:
        """How good `network` (of the same kind, averaged weights, not training) is on held-out data."""
        ...


def load_stage(runs: Path, stage: str) -> dict[str, Any]:
    """What a run of `stage` left in its folder under `runs`: `weights`, `step`, `facts`.

    Raises FileNotFoundError where it was not trained yet.
    """
    path = runs / stage / WEIGHTS
    if not path.exists():
        raise FileNotFoundError(f"{path}: not there; train stage {stage} into {path.parent} first")
    stored: dict[str, Any] = torch.load(path, weights_only=True)
    return stored


def kept_weights(step: int) -> str:
    """Name of the file of the weights of `step`."""
    return f"weights-{step:06d}.pt"


class Run:
    """Trains a stage into a folder. `now` gives seconds for the log, nothing else depends on it."""

    def __init__(self, stage: Stage, config: RunConfig, out: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.stage, self.config, self.out, self._now = stage, config, out, now
        self.step = 0
        self.average = {name: value.detach().clone() for name, value in stage.network.state_dict().items()}
        trained = [parameter for parameter in stage.network.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
                {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        out.mkdir(parents=True, exist_ok=True)

    def train(self) -> dict[str, float]:
        """Go on to the last step; gives the figures of the end."""
        config = self.config
        began, sums = self._now(), defaultdict[str, float](float)
        self._log(event="start", step=self.step, config=asdict(config), **self.stage.facts)
        while self.step < config.steps:
            for name, value in self._one_step().items():
                sums[name] += value
            if self.step % config.report_every == 0:
                means = {name: round(value / config.report_every, 5) for name, value in sums.items()}
                self._log(event="train", step=self.step, seconds=round(self._now() - began, 1), **means)
                sums.clear()
            if self.step % config.save_every == 0:
                self.save()
            if self.step % config.validate_every == 0 and self.step < config.steps:
                self._log(event="validation", step=self.step, **self.figures())
        self.save()
        figures = self.figures()
        self._log(event="end", step=self.step, **figures)
        return figures

    def figures(self) -> dict[str, float]:
        """Figures of the averaged weights."""
        network = self.stage.network
        kept = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(self.average)
        network.eval()
        with torch.no_grad():
            found = self.stage.figures(network)
        network.load_state_dict(kept)
        return {name: round(value, 5) for name, value in found.items()}

    def save(self) -> None:
        """Write the checkpoint and the averaged weights; a reader never sees half a file."""
        whole = {
            "step": self.step,
            "network": self.stage.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }
        weights = {"weights": self.average, "step": self.step, "facts": dict(self.stage.facts)}
        files = {CHECKPOINT: whole, WEIGHTS: weights}
        if self.config.keep_every and self.step % self.config.keep_every == 0:
            files[kept_weights(self.step)] = weights
        for name, content in files.items():
            hidden = self.out / f".{name}.part"
            torch.save(content, hidden)
            hidden.replace(self.out / name)

    def resume(self) -> bool:
        """Continue from the folder's checkpoint, if it has one."""
        path = self.out / CHECKPOINT
        if not path.exists():
            return False
        stored = torch.load(path, weights_only=True)
        self.stage.network.load_state_dict(stored["network"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.average, self.step = stored["average"], stored["step"]
        return True

    def _one_step(self) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self.stage.network.train()
        # Every step has its own seed, so that a run that was stopped goes on as if it had not been.
        random = np.random.default_rng([self.config.seed, self.step])
        torch.manual_seed(int(random.integers(2**31)))
        terms = self.stage.terms(random, self.step / self.config.steps)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.stage.network.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self.step += 1
        self._follow()
        return {name: float(term.detach()) for name, term in terms.items()}

    def _learning_rate(self) -> float:
        config = self.config
        warm = min(1.0, (self.step + 1) / max(config.warmup_steps, 1))
        fall = 0.5 * (1.0 + math.cos(math.pi * self.step / config.steps))
        return config.learning_rate * warm * (config.falls_to + (1.0 - config.falls_to) * fall)

    @torch.no_grad()
    def _follow(self) -> None:
        """Averages forget the beginning; counters are taken over as they are."""
        decay = min(self.config.averaging, (1 + self.step) / (10 + self.step))
        for name, value in self.stage.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - decay)
            else:
                self.average[name].copy_(value)

    def _log(self, **values: Any) -> None:
        log.info("%s", " ".join(f"{k}={v}" for k, v in values.items() if k != "config"))
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps(values) + "\n")
