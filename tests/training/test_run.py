import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facestream_models.training.run import Run, RunConfig


class Line:
    """A stage that learns y = 3 x - 1 from noisy points, with dropout so that torch's randomness counts too."""

    facts: Mapping[str, Any] = {"what": "a line"}

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.1), nn.Linear(8, 1))

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        assert 0.0 <= progress < 1.0
        x = torch.from_numpy(random.uniform(-1, 1, (32, 1)).astype(np.float32))
        error = (self.network(x) - (3 * x - 1)).square().mean()
        return {"error": error, "size": 1e-4 * self.network[0].weight.square().sum()}

    def figures(self, network: nn.Module) -> dict[str, float]:
        x = torch.linspace(-1, 1, 21)[:, None]
        return {"rms": float((network(x) - (3 * x - 1)).square().mean().sqrt())}


CONFIG = RunConfig(steps=150, learning_rate=2e-2, warmup_steps=10, averaging=0.9, save_every=50, validate_every=75)


def test_a_run_learns_and_says_so(tmp_path: Path) -> None:
    before = Run(Line(), CONFIG, tmp_path / "none").figures()["rms"]
    found = Run(Line(), CONFIG, tmp_path / "run").train()
    assert found["rms"] < 0.2 < before
    events = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events].count("train") == 3
    assert {"error", "size"} <= set(events[1])
    assert events[-1]["rms"] == found["rms"]
    stored = torch.load(tmp_path / "run" / "weights.pt", weights_only=True)
    assert stored["facts"] == {"what": "a line"}
    assert stored["step"] == 150


@pytest.mark.parametrize("stop", [50, 100])
def test_a_run_that_was_stopped_ends_where_the_other_does(tmp_path: Path, stop: int) -> None:
    whole = Run(Line(), CONFIG, tmp_path / "whole")
    whole.train()
    first = Run(Line(), CONFIG, tmp_path / "two")
    for _ in range(stop):
        first._one_step()
    first.save()
    second = Run(Line(), CONFIG, tmp_path / "two")
    assert second.resume()
    second.train()
    for name, value in whole.average.items():
        assert torch.equal(value, second.average[name])
    # the control: another seed ends elsewhere
    other = Run(Line(), RunConfig(**{**CONFIG.__dict__, "seed": 2}), tmp_path / "other")
    other.train()
    assert any(not torch.equal(value, other.average[name]) for name, value in whole.average.items())


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_the_learning_rate_ends_at_its_share(tmp_path: Path, share: float) -> None:
    run = Run(Line(), RunConfig(steps=20, learning_rate=1e-2, warmup_steps=1, falls_to=share), tmp_path)
    run.train()
    last = run.optimiser.param_groups[0]["lr"]
    assert last == pytest.approx(share * 1e-2, rel=0.35 if share < 0.1 else 0.01)
    assert last == min(group["lr"] for group in run.optimiser.param_groups)


def test_nothing_to_resume(tmp_path: Path) -> None:
    assert not Run(Line(), CONFIG, tmp_path).resume()
