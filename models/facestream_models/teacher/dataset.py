"""Encoder features of the synthetic corpus, kept in a cache: what the teacher's head is trained on."""

import logging
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import SILENCE
from facestream_models.corpus.store import CorpusReader, Utterance, read_shard
from facestream_models.teacher.distort import distort
from facestream_models.teacher.features import FRAME_SAMPLES, Encoder
from facestream_models.teacher.head import Clip

CLEAN_SHARE = 0.3
LONGEST_SECONDS = 30.0

log = logging.getLogger("facestream.teacher")


def frame_labels(utterance: Utterance) -> NDArray[np.int8]:
    """The class at the centre of each 20 ms frame, int8 [ceil(T / 320)]; past the end of the audio it is a pause."""
    frames = -(-len(utterance.audio) // FRAME_SAMPLES)
    centres = np.arange(frames) * FRAME_SAMPLES + FRAME_SAMPLES // 2
    number = np.searchsorted(utterance.ends, centres, side="right")
    known = number < len(utterance.classes)
    labels = np.full(frames, SILENCE, np.int8)
    labels[known] = utterance.classes[number[known]]
    return labels


def extract(train: Path, cache: Path, encoder: Encoder, minutes: dict[str, float], seed: int) -> None:
    """Encode the shards of `train` into `cache`, one file a shard, until each source has its `minutes`; resumable.

    All but a share of the utterances are distorted; the labels keep their times.
    """
    cache.mkdir(parents=True, exist_ok=True)
    have = dict.fromkeys(minutes, 0.0)
    for shard in CorpusReader(train).new_shards():
        source = next((name for name in minutes if shard.name.startswith(name)), None)
        if source is None or have[source] >= minutes[source]:
            continue
        target = cache / shard.name
        if not target.exists():
            utterances = [u for u in read_shard(shard) if u.seconds <= LONGEST_SECONDS]
            random = np.random.default_rng([seed, zlib.crc32(shard.name.encode())])
            utterances = utterances[: _how_many(utterances, (minutes[source] - have[source]) * 60)]
            _write(target, utterances, encoder, random)
        with np.load(target, allow_pickle=False) as arrays:
            have[source] += len(arrays["labels"]) / 3000
        log.info("features: %s", ", ".join(f"{name} {amount:.1f} min" for name, amount in have.items()))


def load_clips(cache: Path) -> list[Clip]:
    """All clips of the cache; features stay float16."""
    clips = []
    for path in sorted(cache.glob("*-[0-9][0-9][0-9].npz")):
        with np.load(path, allow_pickle=False) as arrays:
            features, labels, offsets = arrays["features"], arrays["labels"], arrays["offsets"]
        for first, end in pairwise(offsets):
            clips.append(Clip(features[first:end], labels[first:end]))
    return clips


def _how_many(utterances: list[Utterance], seconds: float) -> int:
    total = np.cumsum([utterance.seconds for utterance in utterances])
    return int(np.searchsorted(total, seconds)) + 1


def _write(target: Path, utterances: list[Utterance], encoder: Encoder, random: np.random.Generator) -> None:
    audios = []
    for utterance in utterances:
        audio = utterance.audio.astype(np.float32) / 32768.0
        audios.append(audio if random.random() < CLEAN_SHARE else distort(audio, random))
    features = list(encoder.encode(audios))
    labels = [frame_labels(utterance) for utterance in utterances]
    hidden = target.with_name(f".{target.name}.part")
    with hidden.open("wb") as file:
        np.savez(
            file,
            features=np.concatenate(features),
            labels=np.concatenate(labels),
            offsets=np.concatenate([[0], np.cumsum([len(row) for row in labels])]).astype(np.int64),
        )
    hidden.replace(target)
