import json
from pathlib import Path

import pytest

from facestream.engines.bundle import Bundle, list_bundles, open_bundle
from facestream.errors import BundleError, NotFound
from tests.engines.tiny_model import LOOKAHEAD, write_tiny_bundle


def test_a_whole_bundle_opens_and_tells_its_facts(tmp_path: Path) -> None:
    model = Bundle.open(write_tiny_bundle(tmp_path)).model
    assert (model.name, model.lookahead_samples, model.motion_size) == ("tiny", LOOKAHEAD, 54)
    assert [(spec.name, spec.shape) for spec in model.states] == [("state_first", (2, 12)), ("state_second", (2, 12))]


def test_a_truncated_graph_is_refused_with_both_hashes(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path)
    graph = folder / "tiny.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"tiny\.onnx: found \d+ bytes with SHA-256 \w{64}; expected SHA-256 \w{64}"):
        Bundle.open(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"files": {"tiny.onnx": "0" * 64}}, "expected SHA-256 0000"),
        ({"files": {"other.onnx": "0" * 64}}, "no entry for the graph 'tiny.onnx'"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"licence": None}, "no key 'licence'"),
        ({"schema_version": 2}, "schema_version 2; expected 1"),
        ({"schema_version": None}, "schema_version None; expected 1"),
        ({"lookahead_samples": 1281}, "lookahead_samples: found 1281"),
        ({"hop_samples": 640, "lookahead_samples": 1280}, "looks 1600 samples ahead, at most 1280"),
        ({"lookahead_samples": "960"}, "lookahead_samples: found '960'"),
        ({"hop_samples": 96}, "hop_samples: found 96"),
        ({"motion_rate": "30/1"}, "320 samples a hop are no whole number of rows at 30/1 Hz"),
        ({"states": [{"name": "memory", "shape": [1]}]}, r"states\.0\.name: found 'memory'"),
        ({"phone_classes": ["aa"]}, "phone_classes has no 'sil'"),
        ({"inputs": []}, "inputs has no 'pcm'"),
        ({"head_digest": "short"}, "head_digest: found 'short'"),
    ],
)
def test_each_wrong_manifest_gives_one_line_that_names_it(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    folder = write_tiny_bundle(tmp_path, changes=changes)
    with pytest.raises(BundleError, match=said) as caught:
        Bundle.open(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle", changes={"files": {"tiny.onnx": "0" * 64, "../x": "0" * 64}})
    with pytest.raises(BundleError, match=r"'\.\./x' leaves the bundle folder"):
        Bundle.open(folder)


def test_missing_files_and_broken_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: found no such file"):
        Bundle.open(tmp_path)
    folder = write_tiny_bundle(tmp_path)
    (folder / "tiny.onnx").unlink()
    with pytest.raises(BundleError, match=r"tiny\.onnx: found no such file"):
        Bundle.open(folder)
    (folder / "manifest.json").write_text('{"schema_version": 1,', encoding="utf-8")
    with pytest.raises(BundleError, match="broken JSON at line 1"):
        Bundle.open(folder)


def test_bundles_are_found_by_name_and_a_users_own_one_wins(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "a", name="mine")
    write_tiny_bundle(tmp_path / "b", name="live")
    head = tmp_path / "c"
    head.mkdir()
    (head / "manifest.json").write_text(json.dumps({"family": "head", "name": "other-head"}), encoding="utf-8")
    found = list_bundles([tmp_path])
    assert found["mine"] == tmp_path / "a"
    assert found["live"] == tmp_path / "b"
    assert "other-head" not in found
    assert open_bundle("mine", [tmp_path]).manifest.name == "mine"
    assert open_bundle(str(tmp_path / "a")).manifest.name == "mine"
    with pytest.raises(NotFound, match=r"no model named 'yours'; there is: .*mine"):
        open_bundle("yours", [tmp_path])


def test_an_unreadable_manifest_is_listed_so_that_opening_says_why(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "broken")
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(BundleError, match="broken JSON"):
        open_bundle("broken", [tmp_path])


def test_a_search_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        list_bundles([tmp_path / "nowhere"])
