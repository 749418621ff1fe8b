"""The cache of engines: what is found is what was stored, and nothing that goes wrong with a disk is an error."""

import logging
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.engines.tensorrt_cache import CacheKey, EngineCache, default_folder

KEY = CacheKey("engine", "0" * 64, "live.onnx", "tensorrt-rtx 1.7.1.116", "NVIDIA RTX A2000 SM86", "fp16", "1" * 64)


def test_what_was_stored_is_found(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path / "deep" / "folder")
    assert cache.load(KEY) is None
    for data in (b"", b"an engine\n" * 1000):
        assert cache.store(KEY, data)
        assert EngineCache(cache.folder).load(KEY) == data
    assert [path.name for path in cache.folder.iterdir()] == [KEY.file]  # nothing half-written is left


@pytest.mark.parametrize("name", [entry.name for entry in fields(CacheKey)])
def test_another_value_of_anything_is_another_file(tmp_path: Path, name: str) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"mine")
    other = replace(KEY, **{name: getattr(KEY, name) + "x"})
    assert cache.load(other) is None
    assert other.file.startswith("live")


def test_values_that_meet_at_a_border_are_told_apart() -> None:
    assert replace(KEY, library="ab", device="c").file != replace(KEY, library="a", device="bc").file


@given(st.data())
def test_a_file_that_was_cut_or_changed_is_not_used(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = EngineCache(Path(folder))
        cache.store(KEY, b"an engine" * 9)
        path = cache.folder / KEY.file
        stored = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(stored) - 1))
        if data.draw(st.booleans()):
            stored[place] ^= data.draw(st.integers(1, 255))
        else:
            del stored[place:]
        path.write_bytes(stored)
        assert cache.load(KEY) is None
        assert cache.store(KEY, b"made again")
        assert cache.load(KEY) == b"made again"


def test_a_broken_file_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / KEY.file).write_bytes(b"not an engine")
    assert EngineCache(tmp_path).load(KEY) is None
    assert "broken and is made again" in caplog.text


def test_a_folder_that_can_not_be_written_is_one_line_that_says_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = EngineCache(tmp_path / "file" / "engines")
    with caplog.at_level(logging.WARNING):
        assert not cache.store(KEY, b"an engine")
        assert not cache.store(replace(KEY, kind="timing"), b"times")
        assert cache.load(KEY) is None
    (line,) = [record.getMessage() for record in caplog.records]
    assert str(cache.folder) in line
    assert "set engine_cache" in line


def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.name", "posix")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "facestream" / "engines"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path.home() / ".cache" / "facestream" / "engines"
