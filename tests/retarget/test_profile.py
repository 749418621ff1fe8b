from pathlib import Path

import numpy as np
import pytest

from facestream.curves import CURVE_COUNT, INDEX
from facestream.errors import BundleError, NotFound
from facestream.retarget.profile import EYE_ROWS, load_profile, shipped_profile_path
from facestream_bench.plausible_faces import plausible_faces


def changed(path: Path, **arrays: np.ndarray) -> Path:
    with np.load(shipped_profile_path()) as shipped:
        np.savez(path, **(dict(shipped) | arrays))
    return path


def test_the_shipped_profile_speaks_of_all_shapes():
    profile = load_profile()
    silent = [name for name, column in INDEX.items() if not np.abs(profile.arkit_to_motion[:, column]).max() > 0.01]
    assert silent == []
    assert set(EYE_ROWS) | {"tongueOut"} <= set(profile.row_names)


def test_opening_jaw_turns_about_x_and_opens_the_lips():
    profile = load_profile()
    face = np.zeros(CURVE_COUNT, np.float32)
    gaps = []
    for strength in (0, 0.25, 0.5, 1):
        face[INDEX["jawOpen"]] = strength
        gaps.append(float(profile.lip_gap_of(face)))
    assert gaps[0] == 0
    assert gaps == sorted(gaps)
    assert 0.02 < gaps[-1] < 0.05
    assert profile.motion_of(face)[50] > 0.3


@pytest.mark.parametrize("opening", [0.1, 0.3, 0.6, 1.0])
def test_lips_meet_when_mouth_close_equals_jaw_open(opening):
    profile = load_profile()
    face = np.zeros(CURVE_COUNT, np.float32)
    face[[INDEX["jawOpen"], INDEX["mouthClose"]]] = opening
    assert profile.lip_gap_of(face) < 0.0005
    face[INDEX["mouthClose"]] = opening / 2
    assert profile.lip_gap_of(face) > 0.001


def test_batches_of_any_shape():
    profile = load_profile()
    faces = plausible_faces(6, np.random.default_rng(0))
    np.testing.assert_allclose(
        profile.lip_gap_of(faces.reshape(2, 3, CURVE_COUNT)).ravel(), profile.lip_gap_of(faces), atol=1e-7
    )
    assert profile.motion_of(faces.reshape(2, 3, CURVE_COUNT), ["tongueOut"]).shape == (2, 3, 54)


def test_unknown_coefficient_is_named():
    with pytest.raises(NotFound, match="'earWiggle'"):
        load_profile().rows(["earWiggle"])


def test_profile_of_another_head_is_refused():
    with pytest.raises(BundleError, match="made for head"):
        load_profile(head_digest="0" * 64)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"format": np.array(99)}, "format 99"),
        ({"coefficient_weights": np.zeros(3, np.float32)}, "coefficient_weights must be finite"),
        ({"landmark_neutral": np.full((12, 3), np.nan, np.float32)}, "landmark_neutral must be finite"),
        ({"row_names": np.array([f"r{i}" for i in range(60)])}, "rows .*expression_00.* are missing"),
        ({"row_names": np.array([{}], dtype=object)}, "not a rig profile"),
    ],
)
def test_damaged_profile_is_refused(tmp_path, arrays, said):
    with pytest.raises(BundleError, match=said):
        load_profile(changed(tmp_path / "profile.npz", **arrays))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive"])
def test_what_is_no_profile_is_refused(tmp_path, content):
    path = tmp_path / "profile.npz"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not a rig profile"):
        load_profile(path)
    with pytest.raises(BundleError, match="not a rig profile"):
        load_profile(tmp_path / "missing.npz")
