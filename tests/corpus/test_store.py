from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.phones import CLASSES
from facestream_models.corpus.store import CorpusReader, CorpusWriter, Utterance, iterate, read_shard


def make_utterance(seed: int, *, posteriors: bool = False) -> Utterance:
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 12))
    ends = np.cumsum(random.integers(1, 4000, count)).astype(np.int32)
    length = int(ends[-1])
    return Utterance(
        key=f"key-{seed}",
        source=["kokoro", "grid"][seed % 2],
        language="it",
        voice="voix ɛ̃",
        text="« été » — 你好",
        audio=random.integers(-32768, 32768, length).astype(np.int16),
        phones=tuple(random.choice(["_", "ʃ", "ɔ", "p"], count).tolist()),
        classes=random.integers(0, 21, count).astype(np.int8),
        starts=np.r_[0, ends[:-1]].astype(np.int32),
        ends=ends,
        posteriors=random.random((-(-length // 320), len(CLASSES))).astype(np.float16) if posteriors else None,
    )


def assert_equal(left: Utterance, right: Utterance) -> None:
    for name in ("key", "source", "language", "voice", "text", "phones"):
        assert getattr(left, name) == getattr(right, name)
    for name in ("audio", "classes", "starts", "ends"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype
    if left.posteriors is None or right.posteriors is None:
        assert left.posteriors is right.posteriors
    else:
        np.testing.assert_array_equal(left.posteriors, right.posteriors)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), min_size=1, max_size=9, unique_by=lambda item: item[0]),
    st.integers(1, 4),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, bool]], per_shard: int
) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    written = [make_utterance(seed, posteriors=with_posteriors) for seed, with_posteriors in drawn]
    with CorpusWriter(folder, "part", per_shard) as writer:
        for utterance in written:
            writer.add(utterance)
    read = list(iterate(folder))
    assert len(read) == len(written)
    for left, right in zip(written, read, strict=True):
        assert_equal(left, right)
    assert {u.source for u in iterate(folder, {"grid"})} <= {"grid"}


def test_a_reader_sees_only_finished_shards_and_each_once(tmp_path: Path) -> None:
    writer = CorpusWriter(tmp_path, "part", 2)
    writer.add(make_utterance(0))
    reader = CorpusReader(tmp_path)
    assert reader.new_shards() == []
    writer.add(make_utterance(1))
    (tmp_path / ".part-001.npz.part").write_bytes(b"half written")
    assert [path.name for path in reader.new_shards()] == ["part-000.npz"]
    assert reader.new_shards() == []


def test_a_writer_continues_after_the_shards_it_finds(tmp_path: Path) -> None:
    with CorpusWriter(tmp_path, "part", 2) as writer:
        for seed in range(3):
            writer.add(make_utterance(seed))
    again = CorpusWriter(tmp_path, "part", 2)
    assert again.finished_keys == {"key-0", "key-1", "key-2"}
    with again:
        again.add(make_utterance(3))
    assert [u.key for u in iterate(tmp_path)] == ["key-0", "key-1", "key-2", "key-3"]


def test_a_failing_generator_leaves_no_half_shard(tmp_path: Path) -> None:
    def generate() -> None:
        with CorpusWriter(tmp_path, "part", 5) as writer:
            writer.add(make_utterance(0))
            raise RuntimeError("no voice")

    with pytest.raises(RuntimeError, match="no voice"):
        generate()
    assert list(tmp_path.iterdir()) == []


def test_segments_must_cover_the_audio() -> None:
    good = make_utterance(7)
    with pytest.raises(ValueError, match="cover all"):
        replace(good, audio=good.audio[:-1])
    with pytest.raises(ValueError, match="equal length"):
        replace(good, phones=(*good.phones, "p"))
    with pytest.raises(ValueError, match="classes must lie"):
        replace(good, classes=np.full_like(good.classes, 21))
    with pytest.raises(ValueError, match="posteriors must be"):
        replace(good, posteriors=np.zeros((1, 3), np.float16))


def test_missing_and_broken_corpora_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="generate"):
        list(iterate(tmp_path / "nowhere"))
    (tmp_path / "train").mkdir()
    with pytest.raises(FileNotFoundError, match="train"):
        list(iterate(tmp_path))
    broken = tmp_path / "part-000.npz"
    broken.write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match="not a corpus shard"):
        read_shard(broken)
