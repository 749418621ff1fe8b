"""The corpus on disk: utterances with phone times, in append-only shards.

A shard is one uncompressed `NAME-000.npz` that holds plain arrays only (no pickles). It is written under a hidden
name and renamed when complete, so a reader may look at the directory at any time and sees finished shards only:
training starts while generation goes on. A writer that is started again continues after the shards it finds.

A generated corpus has three directories of shards: `train`, `validation` (voices that training never hears) and
`evaluation` (real speech that training never hears, aligned).
"""

import os
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import CLASSES

SAMPLE_RATE = 16_000
POSTERIOR_RATE = 50


@dataclass(frozen=True, eq=False)
class Utterance:
    """One stretch of speech (or noise, or music) with its articulatory segments.

    `audio` int16 [T] mono at 16 kHz. The N segments are contiguous and cover the audio: `phones` (bare IPA, `_` for a
    pause), `classes` int8 [N] (index into CLASSES), `starts` and `ends` int32 [N] in samples, `starts[0] == 0`,
    `ends[-1] == T`. `posteriors`, where a teacher made them, float16 [ceil(T / 320), 21]: row i holds class
    probabilities of the 20 ms that end at sample 320 * (i + 1).
    """

    key: str
    source: str
    language: str
    voice: str
    text: str
    audio: NDArray[np.int16]
    phones: tuple[str, ...]
    classes: NDArray[np.int8]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    posteriors: NDArray[np.float16] | None = None

    def __post_init__(self) -> None:
        length, count = len(self.audio), len(self.classes)
        if not (count == len(self.phones) == len(self.starts) == len(self.ends)) or count == 0:
            raise ValueError(
                f"utterance {self.key!r}: phones, classes, starts and ends must have one equal length of at least 1, "
                f"got {len(self.phones)}, {count}, {len(self.starts)}, {len(self.ends)}"
            )
        contiguous = (
            self.starts[0] == 0
            and self.ends[-1] == length
            and np.array_equal(self.starts[1:], self.ends[:-1])
            and bool(np.all(self.ends > self.starts))
        )
        if not contiguous:
            raise ValueError(
                f"utterance {self.key!r}: segments must be non-empty, follow each other and cover all {length} samples"
            )
        if self.classes.min() < 0 or self.classes.max() >= len(CLASSES):
            raise ValueError(f"utterance {self.key!r}: classes must lie in 0..{len(CLASSES) - 1}")
        expected = (-(-length * POSTERIOR_RATE // SAMPLE_RATE), len(CLASSES))
        if self.posteriors is not None and self.posteriors.shape != expected:
            raise ValueError(f"utterance {self.key!r}: posteriors must be {expected}, got {self.posteriors.shape}")

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE


class Keyed(Protocol):
    """What a shard can hold: anything with a unique key."""

    @property
    def key(self) -> str: ...


Item = TypeVar("Item", bound=Keyed)


class ShardWriter(Generic[Item]):
    """Appends items to shards `NAME-000.npz`, `NAME-001.npz` ... in `directory`; `pack` makes arrays of them.

    Started again with the same name it goes on after the last finished shard; `finished_keys` tells what those
    hold, so that the caller can skip it. Use as a context manager: a clean exit writes the last, shorter shard.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        items_per_shard: int,
        pack: Callable[[list[Item]], Mapping[str, NDArray[Any]]],
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.name = name
        self.items_per_shard = items_per_shard
        self.finished_keys: set[str] = set()
        self._pack = pack
        self._pending: list[Item] = []
        existing = sorted(directory.glob(f"{name}-[0-9][0-9][0-9].npz"))
        for path in existing:
            with np.load(path, allow_pickle=False) as shard:
                self.finished_keys.update(str(key) for key in shard["keys"])
        self._next_number = int(existing[-1].stem[-3:]) + 1 if existing else 0

    def add(self, item: Item) -> None:
        self._pending.append(item)
        if len(self._pending) >= self.items_per_shard:
            self.flush()

    def flush(self) -> None:
        """Write what is pending as one finished shard."""
        if not self._pending:
            return
        write_shard(self.directory / f"{self.name}-{self._next_number:03d}.npz", self._pack(self._pending))
        self.finished_keys.update(item.key for item in self._pending)
        self._next_number += 1
        self._pending = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()


class CorpusWriter(ShardWriter[Utterance]):
    """Appends utterances to shards."""

    def __init__(self, directory: Path, name: str, utterances_per_shard: int = 50) -> None:
        super().__init__(directory, name, utterances_per_shard, pack_utterances)


def write_shard(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write or replace one shard; a reader sees the whole old one or the whole new one."""
    hidden = path.with_name(f".{path.name}.part")
    with hidden.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(hidden, path)


def stored_seconds(directory: Path, name: str) -> float:
    """Seconds of audio in the finished shards `NAME-*.npz` of `directory`."""
    seconds = 0.0
    for path in directory.glob(f"{name}-*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            seconds += float(arrays["audio_offsets"][-1]) / SAMPLE_RATE
    return seconds


class CorpusReader:
    """Reads the finished shards of a directory; call `new_shards` again to see what has been finished since."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise FileNotFoundError(
                f"no corpus directory {directory}; generate one with "
                "`python -m facestream_models.corpus.generate --out DIR --config CONFIG`"
            )
        self.directory = directory
        self._seen: set[str] = set()

    def new_shards(self) -> list[Path]:
        """Paths of the finished shards that no earlier call returned, in order of their names."""
        fresh = sorted(path for path in self.directory.glob("*-[0-9][0-9][0-9].npz") if path.name not in self._seen)
        self._seen.update(path.name for path in fresh)
        return fresh


def iterate(directory: Path, sources: Collection[str] | None = None) -> Iterator[Utterance]:
    """Every utterance of the finished shards of `directory`, of the given `sources` only when named."""
    reader = CorpusReader(directory)
    shards = reader.new_shards()
    if not shards:
        inner = sorted(path.name for path in directory.iterdir() if path.is_dir())
        raise FileNotFoundError(f"no finished shard in {directory}; its directories are {inner}")
    for path in shards:
        for utterance in read_shard(path):
            if sources is None or utterance.source in sources:
                yield utterance


def read_shard(path: Path) -> list[Utterance]:
    """All utterances of one shard. Raises ValueError when the file is not a shard."""
    try:
        with np.load(path, allow_pickle=False) as shard:
            return unpack_utterances({name: shard[name] for name in shard.files})
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not a corpus shard: {error}") from error


def pack_utterances(utterances: list[Utterance]) -> dict[str, NDArray[Any]]:
    """The arrays of a shard: what has a length of its own lies end to end, `*_offsets` tell where."""

    def strings(values: list[str]) -> NDArray[np.str_]:
        return np.array(values, dtype=np.str_)

    posteriors = [np.zeros((0, len(CLASSES)), np.float16) if u.posteriors is None else u.posteriors for u in utterances]
    return {
        "keys": strings([u.key for u in utterances]),
        "sources": strings([u.source for u in utterances]),
        "languages": strings([u.language for u in utterances]),
        "voices": strings([u.voice for u in utterances]),
        "texts": strings([u.text for u in utterances]),
        "audio": np.concatenate([u.audio for u in utterances]),
        "audio_offsets": offsets([len(u.audio) for u in utterances]),
        "phones": strings([phone for u in utterances for phone in u.phones]),
        "classes": np.concatenate([u.classes for u in utterances]),
        "starts": np.concatenate([u.starts for u in utterances]),
        "ends": np.concatenate([u.ends for u in utterances]),
        "segment_offsets": offsets([len(u.classes) for u in utterances]),
        "posteriors": np.concatenate(posteriors),
        "posterior_offsets": offsets([len(p) for p in posteriors]),
    }


def offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    """Where each of the runs of these `lengths` [N] begins when they lie end to end `[N + 1]`."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def unpack_utterances(shard: Mapping[str, NDArray[Any]]) -> list[Utterance]:
    """The utterances of the arrays that `pack_utterances` made."""
    utterances = []
    for number, key in enumerate(shard["keys"]):
        audio, segments, rows = (
            slice(*shard[name][number : number + 2])
            for name in ("audio_offsets", "segment_offsets", "posterior_offsets")
        )
        posteriors = shard["posteriors"][rows]
        utterances.append(
            Utterance(
                key=str(key),
                source=str(shard["sources"][number]),
                language=str(shard["languages"][number]),
                voice=str(shard["voices"][number]),
                text=str(shard["texts"][number]),
                audio=shard["audio"][audio],
                phones=tuple(str(phone) for phone in shard["phones"][segments]),
                classes=shard["classes"][segments],
                starts=shard["starts"][segments],
                ends=shard["ends"][segments],
                posteriors=posteriors if len(posteriors) else None,
            )
        )
    return utterances
