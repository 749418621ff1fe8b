"""Acts a corpus in eight emotions: `python -m facestream_models.corpus.emotional --corpus DIR --out DIR --config TOML`.

Reads the utterances of DIR/train and DIR/validation (see `generate`) and writes shards of takes (see `take_store`) into
OUT/train and OUT/validation; what a config wants heard alone goes into OUT/heard (see `spoken_acts`). It may be stopped
and started again: finished shards are kept, and the corpus may grow meanwhile. Voices of the validation part are never
heard in training, nor are its texts. One log line a shard tells the minutes stored and the speed.
"""

import argparse
import logging
import multiprocessing
import time
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.emotional_take import act_out
from facestream_models.corpus.speaking_style import speaker_of
from facestream_models.corpus.spoken_act import take_key
from facestream_models.corpus.spoken_acts import HEARD, make_heard
from facestream_models.corpus.store import iterate, stored_seconds
from facestream_models.corpus.take_store import TakeWriter
from facestream_models.corpus.visits import emotions_of_visit, persona_of_visit, share_of

SPLITS = ("validation", "train")

log = logging.getLogger("facestream.corpus")


def make_split(
    corpus: Path,
    out: Path,
    config: dict[str, Any],
    split: str,
    process: int = 0,
    skipped_texts: Collection[str] = frozenset(),
) -> None:
    """Write one process's takes of a split until they last its share of the hours, or all visits are made."""
    settings, seed, processes = config[split], config["seed"], config["processes"]
    per_visit, rate = config["acts_per_visit"], config["frame_rate"]
    profile = load_profile()
    wanted = settings["hours"] * 3600 / processes
    with TakeWriter(out / split, f"takes-p{process}", profile.head_digest, config["takes_per_shard"]) as writer:
        stored = stored_seconds(writer.directory, writer.name)
        began, made = time.monotonic(), 0.0
        for visit in range(settings["visits"]):
            for utterance in share_of(corpus / split, config["sources"], process, processes):
                if utterance.text in skipped_texts:
                    continue
                emotions = [
                    emotion
                    for emotion in emotions_of_visit(utterance, visit, per_visit, seed)
                    if take_key(utterance, emotion, visit) not in writer.finished_keys
                ]
                if not emotions:
                    continue
                if stored + made >= wanted:
                    return
                voice = take_apart(utterance)
                persona = persona_of_visit(utterance, visit, settings["personas_per_voice"], seed)
                for emotion in emotions:
                    speaker = speaker_of(utterance.voice, persona)
                    take = act_out(
                        voice, emotion, visit, speaker, seed, profile, rate, settings.get("other_voices", 0.0)
                    )
                    writer.add(take)
                    made += take.seconds
                    if take.key in writer.finished_keys:
                        speed = made / (time.monotonic() - began)
                        log.info(
                            "%s %s: %.1f min stored, %.2f x real time", split, writer.name, (stored + made) / 60, speed
                        )


def make_all(corpus: Path, out: Path, config: dict[str, Any], process: int) -> None:
    """One process's share of both splits, validation first, and of what is only heard."""
    held_out = {utterance.text for utterance in iterate(corpus / "validation", config["sources"])}
    for split in (part for part in SPLITS if part in config):
        make_split(corpus, out, config, split, process, held_out if split == "train" else frozenset())
    for name in config.get(HEARD, {}):
        make_heard(corpus, out, config, name, process, held_out)


def main() -> None:
    """Run the command line; SystemExit when a process fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="directory that `corpus.generate` filled")
    parser.add_argument("--out", type=Path, required=True, help="directory of the takes")
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see corpus/configs/emotional_v1.toml")
    parser.add_argument("--processes", type=int, help="instead of the config's number")
    arguments = parser.parse_args()
    config = tomllib.loads(arguments.config.read_text(encoding="utf-8"))
    if arguments.processes is not None:
        config["processes"] = arguments.processes
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_worker, args=(arguments.corpus, arguments.out, config, process))
        for process in range(config["processes"])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("an acting process failed; see the log")


def _worker(corpus: Path, out: Path, config: dict[str, Any], process: int) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    make_all(corpus, out, config, process)


if __name__ == "__main__":
    main()
