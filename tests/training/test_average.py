from pathlib import Path

import pytest
import torch

from facestream_models.training.average import mean_weights
from facestream_models.training.run import WEIGHTS, Run, RunConfig, kept_weights
from tests.training.test_run import Line


def test_the_mean_of_kept_weights(tmp_path: Path) -> None:
    run = Run(Line(), RunConfig(steps=60, learning_rate=2e-2, save_every=10, keep_every=20), tmp_path)
    run.train()
    assert sorted(path.name for path in tmp_path.glob("weights-*.pt")) == [kept_weights(n) for n in (20, 40, 60)]
    kept = {n: torch.load(tmp_path / kept_weights(n), weights_only=True)["weights"] for n in (20, 60)}
    found = mean_weights(tmp_path, [60, 20])
    for name, value in found["weights"].items():
        torch.testing.assert_close(value, (kept[20][name] + kept[60][name]) / 2)
    assert not torch.equal(found["weights"]["0.weight"], kept[60]["0.weight"])
    assert found["step"] == 60
    assert found["facts"] == {"what": "a line", "mean_of_steps": [20, 60]}


def test_steps_that_were_not_kept(tmp_path: Path) -> None:
    Run(Line(), RunConfig(steps=20, save_every=10, keep_every=20), tmp_path).train()
    assert (tmp_path / WEIGHTS).exists()
    with pytest.raises(ValueError, match=r"weights-000010.pt: not there; kept are the steps \[20\]"):
        mean_weights(tmp_path, [10, 20])
