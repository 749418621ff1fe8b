from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import CURVE_COUNT
from facestream.errors import InvalidValue
from facestream.files.csv import write_csv
from facestream.files.npz import write_npz
from facestream.files.rotation import rotation_of
from facestream.motion.reference_take import FRAME_RATE, read_reference
from facestream.retarget.profile import load_profile
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose

PROFILE = load_profile()


def talking(seconds, rate, seed=0, turned=0.0):
    """Smooth weights and a head that nods; `turned` is where the recorder stands, in radians of yaw."""
    times = np.arange(int(seconds * rate)) / float(rate)
    random = np.random.default_rng(seed)
    pace, phase = random.uniform(1, 4, CURVE_COUNT), random.uniform(0, 6, CURVE_COUNT)
    weights = (0.5 + 0.5 * np.sin(times[:, None] * pace + phase)).astype(np.float32)
    pitch = 0.1 * np.sin(3.0 * times)
    angles = np.stack([np.full_like(times, turned), pitch, np.zeros_like(times)], axis=1).astype(np.float32)
    head = rotation_of(angles)
    return Frames(0, weights, Pose(head, head, head)), times, pitch


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([Fraction(25), Fraction(30), Fraction(60), Fraction(30000, 1001)]), st.integers(0, 99))
def test_a_recorded_take_becomes_the_motion_it_shows(tmp_path_factory, rate, seed):
    frames, times, pitch = talking(6, rate, seed)
    folder = tmp_path_factory.mktemp("takes")
    frame_rate = FrameRate(rate.numerator, rate.denominator)
    write_csv(folder / "take.csv", frames, frame_rate)
    write_npz(folder / "take.npz", frames, frame_rate)
    for name in ("take.csv", "take.npz"):
        found = read_reference(folder / name, PROFILE)
        assert abs(len(found.expression) - 6 * FRAME_RATE) <= 1
        when = np.arange(len(found.expression)) / FRAME_RATE
        shown = np.stack([np.interp(when, times, column) for column in frames.weights.T], axis=1)
        motion = PROFILE.motion_of(shown.astype(np.float32))
        np.testing.assert_allclose(found.expression, motion[:, :50], atol=5e-3)
        np.testing.assert_allclose(found.pose[:, 3:], motion[:, 50:53], atol=1e-3)
        nod = np.interp(when, times, pitch)
        np.testing.assert_allclose(found.pose[:, 0], nod - pitch.mean(), atol=2e-3)
        np.testing.assert_allclose(found.pose[:, 1:3], 0.0, atol=1e-4)


def test_where_the_recorder_stands_does_not_matter(tmp_path):
    poses = []
    for number, turned in enumerate((0.0, 0.4, -1.2)):
        frames, _, _ = talking(5, 30, turned=turned)
        write_npz(tmp_path / f"{number}.npz", frames, FrameRate(30))
        poses.append(read_reference(tmp_path / f"{number}.npz", PROFILE).pose)
    assert np.abs(poses[0][:, 0]).max() > 0.08
    for other in poses[1:]:
        np.testing.assert_allclose(other, poses[0], atol=1e-4)


def coefficients(frames=120, **changes):
    random = np.random.default_rng(0)
    content = {"exp": random.normal(size=(frames, 50)), "pose": 0.1 * random.normal(size=(frames, 6))}
    return content | changes


def test_flame_coefficients_stay_as_they_are(tmp_path):
    content = coefficients()
    np.savez(tmp_path / "a.npz", **content)
    found = read_reference(tmp_path / "a.npz", PROFILE)
    np.testing.assert_allclose(found.expression, content["exp"], atol=1e-5)
    np.testing.assert_allclose(found.pose, content["pose"], atol=1e-6)
    np.savez(tmp_path / "b.npz", **coefficients(300), fps=50)
    assert read_reference(tmp_path / "b.npz", PROFILE).seconds == 6.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (coefficients(99), r"of 3\.96 s; allowed: 4 s or more"),
        (coefficients(fps=60), r"of 2\.00 s; allowed: 4 s or more"),
        (coefficients(fps=5), "at 5 frames a second; allowed"),
        (coefficients(fps=0), "fps: got 0.0"),
        (coefficients(pose=np.full((120, 6), 12.0)), "pose: got values up to 12; .*radians, not degrees"),
        (coefficients(exp=np.full((120, 50), 50.0)), "exp: got values up to 50"),
        (coefficients(exp=np.zeros((120, 50))), "the face does not move"),
        (coefficients(pose=np.zeros((100, 6))), r"exp \[F, 50\] and pose \[F, 6\] of as many frames"),
        ({"exp": np.zeros((120, 50))}, r"exp \[F, 50\] and pose \[F, 6\] of as many frames"),
        (coefficients(exp=np.where(np.arange(6000).reshape(120, 50) == 407, np.nan, 0.1)), "exp at frame 8: got nan"),
        ({"other": np.zeros(3)}, "an npz of facestream"),
        (coefficients(0), "with 0 frames"),
    ],
)
def test_what_is_no_take_is_told_in_one_line(tmp_path, content, said):
    np.savez(tmp_path / "take.npz", **content)
    with pytest.raises(InvalidValue, match=said) as refused:
        read_reference(tmp_path / "take.npz", PROFILE)
    assert "\n" not in str(refused.value)


def test_files_of_other_kinds_and_takes_with_holes_are_told(tmp_path):
    with pytest.raises(InvalidValue, match="a file that exists"):
        read_reference(tmp_path / "none.csv", PROFILE)
    (tmp_path / "take.mov").write_bytes(b"")
    with pytest.raises(InvalidValue, match=r"a Live Link Face \.csv"):
        read_reference(tmp_path / "take.mov", PROFILE)
    (tmp_path / "take.npz").write_bytes(b"PK")
    with pytest.raises(InvalidValue, match="can not be read"):
        read_reference(tmp_path / "take.npz", PROFILE)
    frames, _, _ = talking(8, 30)
    path = tmp_path / "take.csv"
    write_csv(path, frames, FrameRate(30))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:60] + lines[90:]))
    with pytest.raises(InvalidValue, match=r"a gap of 1\.03 s behind frame 58"):
        read_reference(path, PROFILE)
    path.write_text("".join(lines[:1] + lines[60:90] + lines[30:60]))
    with pytest.raises(InvalidValue, match="times that rise"):
        read_reference(path, PROFILE)


def test_a_take_over_midnight_is_one_take(tmp_path):
    frames, _, _ = talking(6, 30)
    late = Frames(24 * 3600 * 30 - 60, frames.weights, frames.pose)
    write_csv(tmp_path / "late.csv", late, FrameRate(30))
    write_csv(tmp_path / "early.csv", frames, FrameRate(30))
    found = read_reference(tmp_path / "late.csv", PROFILE)
    np.testing.assert_allclose(found.expression, read_reference(tmp_path / "early.csv", PROFILE).expression, atol=1e-3)
