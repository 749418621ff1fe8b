import json
import shutil
from pathlib import Path

import pytest

from facestream.engines.bundle import shipped_folder
from facestream.errors import InvalidValue
from facestream_models.export.manifest import check_replaceable, cleared, complete_bundle
from tests.engines.tiny_deeptalk import write_tiny_deeptalk


def test_a_bundle_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    assert cleared(bundle / "new").is_dir()
    (bundle / "new" / "manifest.json").write_text('{"family": "live", "schema_version": 0}')
    (bundle / "new" / "live.onnx").write_bytes(b"old")
    assert list(cleared(bundle / "new").iterdir()) == []
    cleared(bundle / "new")
    for name, text in (("photo.jpg", ""), ("manifest.json", '{"name": "a web page"}'), ("manifest.json", "[1")):
        other = tmp_path / "other"
        other.mkdir(exist_ok=True)
        (other / name).write_text(text)
        for refuse in (check_replaceable, cleared):
            with pytest.raises(InvalidValue, match=r"out: got .*other; allowed: a folder that is new or empty"):
                refuse(other)
        assert (other / name).read_text() == text
    with pytest.raises(InvalidValue):
        check_replaceable(tmp_path / "other" / "photo.jpg")


@pytest.mark.parametrize("family", ["live", "deeptalk"])
def test_a_manifest_tells_what_it_is_told_and_all_that_lies_in_the_folder(family: str, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    if family == "live":
        shutil.copytree(shipped_folder() / "live", folder)
    else:
        write_tiny_deeptalk(folder)
    told = json.loads((folder / "manifest.json").read_text())
    common = ("schema_version", "sample_rate_hz", "motion_rate", "outputs", "files")
    facts = {key: value for key, value in told.items() if key not in common}
    rate = int(told["motion_rate"].removesuffix("/1"))
    bundle = complete_bundle(folder, motion_rate=rate, extras=told["outputs"]["extras"], **facts)
    assert json.loads((folder / "manifest.json").read_text()) == told
    assert bundle.manifest.name == told["name"]
    (folder / "more.npz").write_bytes(b"more")
    assert "more.npz" in complete_bundle(folder, motion_rate=rate, extras=(), **facts).manifest.files
