"""The mean of a run's weights at several steps: `python -m facestream_models.training.average RUN --steps ...`.

While the learning rate stays high, weights of later steps are not better than those of earlier ones but different, and
their mean is better than each: of six, 350 steps apart, `live` heard .704 of the English prompts right where the last
of them heard .700 (2026-11-21; validation .776 and .775).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from facestream_models.training.run import kept_weights


def mean_weights(run: Path, steps: Sequence[int]) -> dict[str, Any]:
    """What `weights.pt` would hold, `facts` with `mean_of_steps`. Counters are those of the last step.

    Raises ValueError where there are no weights of a step.
    """
    paths = [run / kept_weights(step) for step in sorted(steps)]
    for path in paths:
        if not path.exists():
            kept = sorted(int(found.stem.partition("-")[2]) for found in run.glob("weights-*.pt"))
            raise ValueError(f"{path}: not there; kept are the steps {kept} (see keep_every)")
    stored: list[dict[str, Any]] = [torch.load(path, weights_only=True) for path in paths]
    last = stored[-1]
    for name, value in last["weights"].items():
        if value.is_floating_point():
            last["weights"][name] = torch.stack([one["weights"][name] for one in stored]).mean(dim=0)
    last["facts"]["mean_of_steps"] = sorted(steps)
    return last


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run with keep_every")
    parser.add_argument("--steps", type=int, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    arguments = parser.parse_args()
    torch.save(mean_weights(arguments.run, arguments.steps), arguments.out)


if __name__ == "__main__":
    main()
