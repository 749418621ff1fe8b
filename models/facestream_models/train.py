"""`facestream-train FAMILY STAGE --config FILE --data DIR --out DIR`: trains one stage of a model family."""

import argparse
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from facestream_models.deeptalk.stages.build import STAGES as DEEPTALK_STAGES
from facestream_models.diffposetalk.stages.build import STAGES as DIFFPOSETALK_STAGES
from facestream_models.live.stage import build_live
from facestream_models.training.run import Run

FAMILIES: Mapping[str, Mapping[str, Callable[[Path, Path, Path], Run]]] = {
    "live": {"speech": build_live},
    "deeptalk": DEEPTALK_STAGES,
    "diffposetalk": DIFFPOSETALK_STAGES,
}
"""Family and stage -> what makes its run from config file, data folder and output folder."""

DATA_HELP = "corpus: for live that of facestream_models.corpus.generate, for others that of .corpus.emotional"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="facestream-train", description=__doc__)
    parser.add_argument("family", choices=sorted(FAMILIES))
    parser.add_argument("stage", help="; ".join(f"{name}: {', '.join(stages)}" for name, stages in FAMILIES.items()))
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see the family's configs folder")
    parser.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    parser.add_argument("--out", type=Path, required=True, help="where log, checkpoint and weights go")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    stages = FAMILIES[arguments.family]
    if arguments.stage not in stages:
        parser.error(f"{arguments.family} has no stage {arguments.stage!r}; it has {', '.join(stages)}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    try:
        run = stages[arguments.stage](arguments.config, arguments.data, arguments.out)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    if run.resume():
        logging.getLogger("facestream.train").info("goes on at step %d", run.step)
    run.train()


if __name__ == "__main__":
    main()
