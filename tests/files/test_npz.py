import json
from pathlib import Path

import numpy as np
import pytest

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.json import read_json, write_json
from facestream.files.npz import read_npz, write_npz
from facestream.timebase import FrameRate
from facestream.types import Frames
from facestream.visemes import VISEMES, visemes_of
from tests.files.test_csv import some_frames

RATE = FrameRate(30000, 1001)


@pytest.mark.parametrize("with_pose", [True, False])
def test_a_take_comes_back_exactly(tmp_path: Path, with_pose: bool) -> None:
    frames = some_frames(first_index=7)
    frames = frames if with_pose else Frames(frames.first_index, frames.weights)
    write_npz(tmp_path / "take.data", frames, RATE)
    found, rate = read_npz(tmp_path / "take.data")
    assert rate == RATE
    assert found.first_index == 7
    np.testing.assert_array_equal(found.weights, frames.weights)
    assert (found.pose is not None) == with_pose
    if found.pose is not None and frames.pose is not None:
        np.testing.assert_array_equal(found.pose.right_eye, frames.pose.right_eye)


def test_numpy_finds_names_and_times(tmp_path: Path) -> None:
    write_npz(tmp_path / "take.npz", some_frames(first_index=30), FrameRate(30))
    with np.load(tmp_path / "take.npz", allow_pickle=False) as content:
        assert content["curve_names"].tolist() == list(ARKIT_NAMES)
        assert content["times_s"][:2].tolist() == pytest.approx([1.0, 31 / 30])


def test_curves_are_found_by_name(tmp_path: Path) -> None:
    frames = some_frames()
    order = np.random.default_rng(0).permutation(52)
    np.savez(
        tmp_path / "take.npz",
        weights=frames.weights[:, order],
        curve_names=np.array(ARKIT_NAMES)[order],
        frame_rate=[30, 1],
        first_index=0,
    )
    np.testing.assert_array_equal(read_npz(tmp_path / "take.npz")[0].weights, frames.weights)


def test_files_that_are_no_takes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    with pytest.raises(InvalidValue, match="can not be read"):
        read_npz(path)
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InvalidValue, match="can not be read"):
        read_npz(path)
    np.savez(path, weights=np.zeros((2, 52)))
    with pytest.raises(InvalidValue, match="no array curve_names, first_index, frame_rate"):
        read_npz(path)
    np.savez(path, weights=np.zeros((2, 3)), curve_names=["a", "b", "c"], frame_rate=[30, 1], first_index=0)
    with pytest.raises(InvalidValue, match=r"weights \(2, 3\), no curve browDownLeft"):
        read_npz(path)
    np.savez(path, weights=np.full((2, 52), np.nan), curve_names=ARKIT_NAMES, frame_rate=[30, 1], first_index=0)
    with pytest.raises(InvalidValue, match="not finite"):
        read_npz(path)
    np.savez(path, weights=np.array([object()]), curve_names=ARKIT_NAMES, frame_rate=[30, 1], first_index=0)
    with pytest.raises(InvalidValue, match="can not be read"):  # a pickle inside
        read_npz(path)


def test_json_comes_back_by_name(tmp_path: Path) -> None:
    frames = some_frames(5, first_index=3)
    path = tmp_path / "take.json"
    write_json(path, frames, RATE, visemes_of(frames.weights))
    content = json.loads(path.read_text())
    assert content["viseme_names"] == list(VISEMES)
    np.testing.assert_allclose(np.sum(content["visemes"], axis=1), 1, atol=1e-5)
    order = np.random.default_rng(0).permutation(52)
    content["weights"] = np.array(content["weights"])[:, order].tolist()
    content["curve_names"] = np.array(ARKIT_NAMES)[order].tolist()
    path.write_text(json.dumps(content))
    found, rate = read_json(path)
    assert (rate, found.first_index) == (RATE, 3)
    np.testing.assert_allclose(found.weights, frames.weights, atol=1e-6)
    assert found.pose is not None
    assert frames.pose is not None
    np.testing.assert_allclose(found.pose.left_eye, frames.pose.left_eye, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"curve_names": ["jawOpen"]}, "a file that is no take"),
        ({"frame_rate": "fast"}, "a file that is no take"),
        ({"weights": [[float("nan")] * 52]}, "values that are not finite"),
        ({"head": [[0, 0, 1]]}, "a file that is no take"),
        ({"frame_rate": "1000"}, "frame_rate: got 1000/1"),
    ],
)
def test_json_that_is_no_take_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "take.json"
    write_json(path, some_frames(1), RATE)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidValue, match=said):
        read_json(path)
    path.write_text("[]")
    with pytest.raises(InvalidValue, match="a file that is no take"):
        read_json(path)


def test_json_holds_the_same_numbers(tmp_path: Path) -> None:
    frames = some_frames(3)
    write_json(tmp_path / "take.json", frames, RATE)
    content = json.loads((tmp_path / "take.json").read_text())
    assert content["frame_rate"] == "30000/1001"
    assert content["curve_names"] == list(ARKIT_NAMES)
    np.testing.assert_allclose(content["weights"], frames.weights, atol=1e-6)
    assert np.shape(content["head"]) == (3, 4)
