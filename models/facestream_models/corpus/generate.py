"""Generates the synthetic corpus: `python -m facestream_models.corpus.generate --out DIR --config CONFIG.toml`.

Writes shards into DIR/train and DIR/validation. It may be stopped and started again: finished shards are kept and
every utterance is a function of its number and the seed. One log line a shard tells the minutes stored and the speed.
Sources run side by side as processes: the neural voices in as many as the config says, everything else in one.
"""

import argparse
import logging
import multiprocessing
import time
import tomllib
from pathlib import Path
from typing import Any

from facestream_models.corpus.recipes import (
    EspeakRecipe,
    FliteRecipe,
    KokoroRecipe,
    NegativeRecipe,
    Recipe,
    series_suffix,
)
from facestream_models.corpus.sources import fetch_kokoro
from facestream_models.corpus.store import CorpusWriter, stored_seconds

SOURCES = ("kokoro", "espeak", "flite", "noise", "music", "electronic")
QUICK_SOURCES = SOURCES[1:]

log = logging.getLogger("facestream.corpus")


def fill(writer: CorpusWriter, recipe: Recipe, hours: float, first: int = 0, step: int = 1) -> None:
    """Write utterances `first`, `first + step`, ... until finished and new ones together last `hours`."""
    stored = stored_seconds(writer.directory, writer.name)
    number = first + len(writer.finished_keys) * step
    began, made = time.monotonic(), 0.0
    while stored + made < hours * 3600:
        utterance = recipe(number)
        writer.add(utterance)
        made += utterance.seconds
        number += step
        if utterance.key in writer.finished_keys:
            speed = made / (time.monotonic() - began)
            log.info("%s: %.1f min stored, %.2f x real time", writer.name, (stored + made) / 60, speed)
    writer.flush()


def generate_kokoro(out: Path, cache: Path, config: dict[str, Any], process: int) -> None:
    """One process's share of the neural speech; the validation utterances first, there are few."""
    settings, seed = config["kokoro"], config["seed"]
    processes, per_shard = settings["processes"], settings["utterances_per_shard"]
    home = fetch_kokoro(cache)
    name = f"kokoro{series_suffix(settings)}-p{process}"
    validation = CorpusWriter(out / "validation", name, per_shard)
    recipe = KokoroRecipe(settings, seed, home, held_out=True)
    fill(validation, recipe, settings["validation_hours"] / processes, process, processes)
    train = CorpusWriter(out / "train", name, per_shard)
    fill(train, KokoroRecipe(settings, seed, home), settings["hours"] / processes, process, processes)


def generate_quick(out: Path, config: dict[str, Any], names: list[str]) -> None:
    """The sources that are many times faster than real time, one after the other."""
    seed = config["seed"]
    for name in names:
        settings = config[name]
        if name == "espeak":
            recipe: Recipe = EspeakRecipe(settings, seed)
        elif name == "flite":
            recipe = FliteRecipe(settings, seed)
        else:
            recipe = NegativeRecipe(settings, seed, name)
        writer = CorpusWriter(out / "train", name + series_suffix(settings), settings["utterances_per_shard"])
        fill(writer, recipe, settings["hours"])


def main() -> None:
    """Run the command line; SystemExit when a process fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="directory of the corpus")
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see corpus/configs")
    parser.add_argument("--cache", type=Path, help="where downloads are kept (default: OUT/cache)")
    parser.add_argument("--only", nargs="+", choices=SOURCES, default=list(SOURCES), help="make these sources only")
    arguments = parser.parse_args()
    _start_log()
    config = tomllib.loads(arguments.config.read_text(encoding="utf-8"))
    cache = arguments.cache or arguments.out / "cache"
    context = multiprocessing.get_context("spawn")
    workers = []
    quick = [name for name in arguments.only if name in QUICK_SOURCES]
    if quick:
        workers.append(context.Process(target=_quick_worker, args=(arguments.out, config, quick)))
    if "kokoro" in arguments.only:
        fetch_kokoro(cache)
        workers.extend(
            context.Process(target=_kokoro_worker, args=(arguments.out, cache, config, process))
            for process in range(config["kokoro"]["processes"])
        )
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a generator process failed; see the log")


def _kokoro_worker(out: Path, cache: Path, config: dict[str, Any], process: int) -> None:
    _start_log()
    generate_kokoro(out, cache, config, process)


def _quick_worker(out: Path, config: dict[str, Any], names: list[str]) -> None:
    _start_log()
    generate_quick(out, config, names)


def _start_log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


if __name__ == "__main__":
    main()
