"""Who acts what when a corpus is gone through again and again: visits of its utterances, each in some emotions.

Everything is a function of the utterance's key, the visit and a seed, so that work may be stopped and go on.
"""

import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.corpus.store import CorpusReader, Utterance, read_shard


def emotions_of_visit(utterance: Utterance, visit: int, per_visit: int, seed: int) -> list[int]:
    """Which emotions the utterance is acted in: visits go through a random order of all eight, again and again."""
    whole_rounds = -(-(visit + 1) * per_visit // len(EMOTIONS))
    order: list[int] = []
    for turn in range(whole_rounds):
        random = np.random.default_rng([seed, zlib.crc32(utterance.key.encode()), turn])
        order.extend(int(number) for number in random.permutation(len(EMOTIONS)))
    return order[visit * per_visit : (visit + 1) * per_visit]


def persona_of_visit(utterance: Utterance, visit: int, personas: int, seed: int) -> int:
    """Which persona of its voice speaks the utterance on that visit."""
    return int(np.random.default_rng([seed, zlib.crc32(utterance.key.encode()), visit, 1]).integers(personas))


def share_of(directory: Path, sources: Collection[str], process: int, processes: int) -> Iterator[Utterance]:
    """The utterances of a process: shards go by their names, so that new ones never move the old."""
    for path in CorpusReader(directory).new_shards():
        if zlib.crc32(path.name.encode()) % processes == process:
            yield from (utterance for utterance in read_shard(path) if utterance.source in sources)
