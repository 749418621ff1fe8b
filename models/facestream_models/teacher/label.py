"""Trains the teacher and labels real speech with it.

    python -m facestream_models.teacher.label --corpus DIR --grid DIR --grid-other DIR --english-classes FILE

Four steps, each cached in DIR/cache/teacher: encoder features of part of the synthetic corpus; a first head; alignments
of the trainable real speech (Italian and Russian prompts, nine tenths of GRID s1) by it, which then join the training
of a second head that starts from the first; labels by the second head. Trainable sets are written to DIR/train with
soft posteriors, all others to DIR/evaluation. The English prompts are never trained on: they measure the teacher, if
their class times are given.
"""

import argparse
import json
import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facestream_models.corpus.real import Recording
from facestream_models.corpus.store import CorpusWriter, Utterance, iterate
from facestream_models.teacher.dataset import LONGEST_SECONDS, extract, frame_labels, load_clips
from facestream_models.teacher.features import Encoder, fetch_encoder
from facestream_models.teacher.head import (
    Clip,
    LogLine,
    PhoneHead,
    load_head,
    log_posteriors,
    save_head,
    train_head,
)
from facestream_models.teacher.real_labels import WORST_SCORE, RealSet, label, real_sets
from facestream_models.teacher.score import Score, compare_bilabials, read_english_classes, score_teacher, timed_classes

SYNTHETIC_MINUTES = {"kokoro": 90.0, "espeak": 12.0, "flite": 8.0, "noise": 4.0, "music": 6.0}

log = logging.getLogger("facestream.teacher")


def encode_real(real: RealSet, folder: Path, encoder: Encoder) -> None:
    """Encode all recordings of one set into `folder/NAME.npz`, once."""
    target = folder / f"{real.name}.npz"
    if target.exists():
        return
    recordings = [r for r in real.recordings() if len(r.audio) <= LONGEST_SECONDS * 16_000 and len(r.audio) > 3200]
    features = list(encoder.encode([recording.audio for recording in recordings]))
    folder.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        np.savez(
            file,
            features=np.concatenate(features),
            offsets=np.concatenate([[0], np.cumsum([len(row) for row in features])]).astype(np.int64),
            keys=np.array([recording.key for recording in recordings], dtype=np.str_),
        )
    log.info("encoded %s: %d recordings", real.name, len(recordings))


def encoded(real: RealSet, folder: Path) -> Iterator[tuple[Recording, NDArray[np.float16]]]:
    """Each recording of the set with its features float16 [F, 672]."""
    with np.load(folder / f"{real.name}.npz", allow_pickle=False) as arrays:
        features, offsets, keys = arrays["features"], arrays["offsets"], arrays["keys"]
    rows = {str(key): slice(first, end) for key, (first, end) in zip(keys, pairwise(offsets), strict=True)}
    for recording in real.recordings():
        if recording.key in rows:
            yield recording, features[rows[recording.key]]


def label_set(real: RealSet, folder: Path, head: PhoneHead) -> Iterator[tuple[Utterance, NDArray[np.float16]]]:
    """The utterances of one set that align well, each with its features."""
    kept = dropped = 0
    for recording, features in encoded(real, folder):
        try:
            made, alignment = label(recording, real.name, log_posteriors(head, features), posteriors=real.trainable)
        except ValueError as error:
            log.debug("%s %s: %s", real.name, recording.key, error)
            dropped += 1
            continue
        if alignment.score < WORST_SCORE:
            dropped += 1
            continue
        kept += 1
        yield made, features
    log.info("%s: %d aligned, %d dropped", real.name, kept, dropped)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="directory of the corpus (train/, evaluation/, cache/)"
    )
    parser.add_argument("--grid", type=Path, help="folder of GRID speaker s1")
    parser.add_argument("--grid-other", type=Path, help="folder of other GRID clips, evaluation only")
    parser.add_argument("--english-classes", type=Path, help="class times of the English prompts, to measure with")
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(1)
    corpus: Path = arguments.corpus
    home = corpus / "cache" / "teacher"
    encoder = Encoder(fetch_encoder(corpus / "cache"))
    extract(corpus / "train", home / "synthetic", encoder, SYNTHETIC_MINUTES, arguments.seed)
    sets = real_sets(arguments.grid, arguments.grid_other)
    teaching = [real for real in sets if real.trainable]
    english = next(real for real in sets if real.name == "prompt-en")
    for real in (*teaching, english):
        encode_real(real, home / "real", encoder)

    def measured(name: str, head: PhoneHead) -> None:
        if arguments.english_classes is not None:
            references = read_english_classes(arguments.english_classes)
            rows = [
                (references[recording.key], log_posteriors(head, features))
                for recording, features in encoded(english, home / "real")
                if recording.key in references
            ]
            result: Score = score_teacher(rows)
            log.info("%s on English prompts: %s", name, result)
            (home / f"{name}.json").write_text(json.dumps(result._asdict(), indent=1))

    synthetic = load_clips(home / "synthetic")
    first = _trained(home / "head-1.npz", synthetic, arguments.epochs, arguments.seed)
    measured("head-1", first)
    spoken = [
        Clip(features, frame_labels(made))
        for real in teaching
        for made, features in label_set(real, home / "real", first)
    ]
    second = _trained(home / "head-2.npz", synthetic + spoken, arguments.epochs / 3, arguments.seed + 1, first)
    measured("head-2", second)
    for real in sets:
        encode_real(real, home / "real", encoder)
        with CorpusWriter(corpus / ("train" if real.trainable else "evaluation"), real.name, 100) as writer:
            for made, _ in label_set(real, home / "real", second):
                if made.key not in writer.finished_keys:
                    writer.add(made)
    if arguments.english_classes is not None:
        references = read_english_classes(arguments.english_classes)
        aligned = iterate(corpus / "evaluation", {"prompt-en"})
        check = compare_bilabials([(references[u.key], timed_classes(u)) for u in aligned if u.key in references])
        log.info("English alignments: %s", check)
        (home / "alignment.json").write_text(json.dumps(check._asdict(), indent=1))


def _trained(path: Path, clips: list[Clip], epochs: float, seed: int, start: PhoneHead | None = None) -> PhoneHead:
    if path.exists():
        return load_head(path)
    head = train_head(clips, epochs=epochs, seed=seed, start=start, rate=1e-3 if start else 2e-3, log=LogLine())
    save_head(head, path)
    return head


if __name__ == "__main__":
    main()
