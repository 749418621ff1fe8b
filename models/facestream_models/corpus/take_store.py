"""Takes on disk: the shards of `store` with emotion, speaker and motion beside each utterance.

A take shard is a corpus shard with more arrays, so `store.iterate` reads its utterances too; a shard of acts that are
heard alone lies between the two. Curves, motion and head
rotation are kept as float16: the steps of a weight near 1 are 0.0005, those of an angle of 10 degrees 0.007 degrees.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.emotions import Act
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.corpus.spoken_act import SpokenAct
from facestream_models.corpus.store import CorpusReader, ShardWriter, offsets, pack_utterances, unpack_utterances

_OF_FACES = ("traits", "trait_names", "curves", "motion", "head", "head_digest", "frame_offsets", "frame_rate")


class TakeWriter(ShardWriter[Take]):
    """Appends takes to shards; `head_digest` names the head whose coefficients their motion is."""

    def __init__(self, directory: Path, name: str, head_digest: str, takes_per_shard: int = 60) -> None:
        super().__init__(directory, name, takes_per_shard, lambda takes: pack_takes(takes, head_digest))


class SpokenActWriter(ShardWriter[SpokenAct]):
    """Appends acts that are heard alone to shards."""

    def __init__(self, directory: Path, name: str, acts_per_shard: int = 100) -> None:
        super().__init__(directory, name, acts_per_shard, pack_acts)


def iterate_takes(directory: Path, head_digest: str | None = None) -> Iterator[Take]:
    """Every take of the finished shards of `directory`; with `head_digest`, refuse motion of another head."""
    for path in _shards(directory):
        yield from read_take_shard(path, head_digest)


def _shards(directory: Path) -> list[Path]:
    shards = CorpusReader(directory).new_shards()
    if not shards:
        raise FileNotFoundError(
            f"no finished shard in {directory}; make one with `python -m facestream_models.corpus.emotional`"
        )
    return shards


def read_take_shard(path: Path, head_digest: str | None = None) -> list[Take]:
    """All takes of one shard. Raises ValueError when the file is not a take shard, or its motion of another head."""
    try:
        with np.load(path, allow_pickle=False) as shard:
            arrays = {name: shard[name] for name in shard.files}
            made_for = str(arrays["head_digest"])
            if head_digest not in (None, made_for):
                raise ValueError(f"its motion is of head {made_for[:12]}, asked for {str(head_digest)[:12]}")
            return unpack_takes(arrays)
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not a shard of takes: {error}") from error


def iterate_spoken_acts(directory: Path) -> Iterator[SpokenAct]:
    """What is heard in every finished shard of `directory`, of takes or of acts without a face."""
    for path in _shards(directory):
        try:
            with np.load(path, allow_pickle=False) as shard:
                arrays = {name: shard[name] for name in shard.files if name not in _OF_FACES}
                yield from unpack_acts(arrays)
        except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
            raise ValueError(f"{path} is not a shard of acts: {error}") from error


def pack_acts(acts: Sequence[SpokenAct | Take]) -> dict[str, NDArray[Any]]:
    """The arrays of a shard of acts that are heard."""
    return {
        **pack_utterances([act.utterance for act in acts]),
        "emotions": np.array([act.act.emotion for act in acts], np.int8),
        "intensities": np.array([act.act.intensity for act in acts], np.float64),
        "second_emotions": np.array([act.act.second for act in acts], np.int8),
        "second_shares": np.array([act.act.share for act in acts], np.float64),
        "speakers": np.array([act.speaker for act in acts], np.str_),
    }


def unpack_acts(shard: Mapping[str, NDArray[Any]]) -> list[SpokenAct]:
    """The acts of the arrays that `pack_acts` made."""
    acts = []
    for number, utterance in enumerate(unpack_utterances(dict(shard))):
        act = Act(
            int(shard["emotions"][number]),
            float(shard["intensities"][number]),
            int(shard["second_emotions"][number]),
            float(shard["second_shares"][number]),
        )
        acts.append(SpokenAct(utterance, act, str(shard["speakers"][number])))
    return acts


def pack_takes(takes: list[Take], head_digest: str) -> dict[str, NDArray[Any]]:
    """The arrays of a shard of takes. Raises ValueError when their frame rates differ."""
    rates = {take.frame_rate for take in takes}
    if len(rates) != 1:
        raise ValueError(f"takes of one shard must have one frame rate, got {sorted(rates)}")
    return {
        **pack_acts(takes),
        "traits": np.stack([take.traits for take in takes]),
        "trait_names": np.array(TRAITS, np.str_),
        "frame_rate": np.array(rates.pop(), np.int64),
        "frame_offsets": offsets([len(take.curves) for take in takes]),
        "curves": np.concatenate([take.curves for take in takes]).astype(np.float16),
        "motion": np.concatenate([take.motion for take in takes]).astype(np.float16),
        "head": np.concatenate([take.head for take in takes]).astype(np.float16),
        "head_digest": np.array(head_digest, np.str_),
    }


def unpack_takes(shard: dict[str, NDArray[Any]]) -> list[Take]:
    """The takes of the arrays that `pack_takes` made."""
    if tuple(str(name) for name in shard["trait_names"]) != TRAITS:
        raise ValueError(f"traits are {shard['trait_names'].tolist()}, this version knows {list(TRAITS)}")
    takes = []
    for number, heard in enumerate(unpack_acts(shard)):
        rows = slice(*shard["frame_offsets"][number : number + 2])
        takes.append(
            Take(
                utterance=heard.utterance,
                act=heard.act,
                speaker=heard.speaker,
                traits=shard["traits"][number],
                frame_rate=int(shard["frame_rate"]),
                curves=shard["curves"][rows].astype(np.float32),
                motion=shard["motion"][rows].astype(np.float32),
                head=shard["head"][rows].astype(np.float32),
            )
        )
    return takes
