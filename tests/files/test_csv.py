from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, CSV_NAMES, CURVE_COUNT, INDEX
from facestream.errors import InvalidValue
from facestream.files.csv import HEADER, read_csv, timecode, write_csv
from facestream.files.rotation import angles_of, rotation_of, yaw_pitch_roll
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose


def some_frames(count: int = 40, first_index: int = 0) -> Frames:
    rng = np.random.default_rng(2)
    angles = rng.uniform(-0.4, 0.4, (3, count, 3)).astype(np.float32)
    pose = Pose(*(rotation_of(part) for part in angles))
    return Frames(first_index, rng.random((count, CURVE_COUNT)).astype(np.float32), pose)


def test_the_header_is_the_apps_to_the_letter(tmp_path: Path) -> None:
    write_csv(tmp_path / "take.csv", some_frames(), FrameRate(30))
    header = (tmp_path / "take.csv").read_text().splitlines()[0]
    assert header.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,")
    assert "JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft," in header
    assert header.endswith(
        "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
    )
    assert len(header.split(",")) == 63


def test_a_row_has_the_apps_form(tmp_path: Path) -> None:
    weights = np.zeros((1, CURVE_COUNT), np.float32)
    weights[0, INDEX["jawLeft"]] = 0.25
    write_csv(tmp_path / "take.csv", Frames(0, weights), FrameRate(30))
    row = (tmp_path / "take.csv").read_text().splitlines()[1].split(",")
    assert row[:3] == ["00:00:00:00.000", "61", "0.0000000000"]
    assert row[2 + CSV_NAMES.index("jawLeft")] == "0.2500000000"
    assert HEADER[2 + CSV_NAMES.index("jawLeft")] == "JawLeft"


@pytest.mark.parametrize("rate", [FrameRate(24), FrameRate(30000, 1001), FrameRate(60)])
def test_a_take_comes_back(tmp_path: Path, rate: FrameRate) -> None:
    frames = some_frames(first_index=50)
    write_csv(tmp_path / "take.csv", frames, rate)
    take = read_csv(tmp_path / "take.csv")
    np.testing.assert_allclose(take.weights, frames.weights, atol=1e-7)
    expected = np.arange(50, 90) / float(rate.fraction)
    np.testing.assert_allclose(take.times_s, expected, atol=0.6e-3 / 60)
    assert take.pose is not None
    assert frames.pose is not None
    for name in ("head", "left_eye", "right_eye"):
        np.testing.assert_allclose(getattr(take.pose, name), getattr(frames.pose, name), atol=1e-5)


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (Fraction(0), "00:00:00:00.000"),
        (Fraction(1, 30), "00:00:00:02.000"),
        (Fraction(1001, 30000), "00:00:00:02.002"),
        (Fraction(1, 7), "00:00:00:08.571"),
        (Fraction(59999999, 60_000_000), "00:00:01:00.000"),  # a fraction that rounds to a whole frame carries
        (Fraction(3600 * 23 + 59 * 60 + 59), "23:59:59:00.000"),
        (Fraction(86400), "00:00:00:00.000"),
    ],
)
def test_timecodes(time_s: Fraction, text: str) -> None:
    assert timecode(time_s) == text


def altered(tmp_path: Path, change: dict[int, str], line: int = 1) -> Path:
    """A good take with some cells of one line replaced."""
    path = tmp_path / "take.csv"
    write_csv(path, some_frames(4), FrameRate(30))
    lines = [row.split(",") for row in path.read_text().splitlines()]
    for column, text in change.items():
        lines[line][column] = text
    path.write_text("\n".join(",".join(row) for row in lines))
    return path


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    frames = some_frames(4)
    path = tmp_path / "take.csv"
    write_csv(path, frames, FrameRate(30))
    rows = [row.split(",") for row in path.read_text().splitlines()]
    order = np.random.default_rng(0).permutation(len(rows[0]))
    path.write_text("\r\n".join(", ".join(row[place] for place in order) for row in rows))
    np.testing.assert_allclose(read_csv(path).weights, frames.weights, atol=1e-7)


def test_old_takes_lack_the_tongue_the_rotations_and_the_fraction(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    names = [name for name in CSV_NAMES if name != "tongueOut"]
    path.write_text(
        "\ufeff" + ",".join(["Timecode", "BlendShapeCount", *names]) + "\n"
        "13:13:04:31,51," + ",".join(["0.5"] * 51) + "\n"
    )
    take = read_csv(path)
    assert take.pose is None
    assert take.weights[0, INDEX["tongueOut"]] == 0
    assert take.times_s[0] == pytest.approx(13 * 3600 + 13 * 60 + 4 + 31 / 60)


@pytest.mark.parametrize(("largest", "rate"), [(119, 120), (59, 60), (30, 60), (29, 30), (25, 30), (24, 60), (0, 60)])
def test_the_rate_is_inferred_from_the_largest_frame_number(tmp_path: Path, largest: int, rate: int) -> None:
    path = altered(tmp_path, {0: f"00:00:01:{largest:02d}.500"})
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:2]))
    assert read_csv(path).times_s[0] == pytest.approx(1 + (largest + 0.5) / rate)
    assert read_csv(path, timecode_rate=120).times_s[0] == pytest.approx(1 + (largest + 0.5) / 120)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        ({2: "nan"}, 2, "line 3, EyeBlinkLeft: got nan; allowed: a finite number"),
        ({2: "full"}, 1, "line 2, EyeBlinkLeft: got 'full'; allowed: a number"),
        ({3: "35.0"}, 1, "line 2, EyeLookDownLeft: got 35.0; allowed: 0 to 1"),
        ({3: "-0.5"}, 1, "line 2, EyeLookDownLeft: got -0.5; allowed: 0 to 1"),
        ({0: "now"}, 3, "line 4, Timecode: got 'now'; allowed: HH:MM:SS:FF.mmm"),
        ({2: "Blink"}, 0, "no column EyeBlinkLeft; allowed: all of the 52 shapes by name"),
        ({0: "Time"}, 0, "a header with Timecode"),
        ({3: "EyeBlinkLeft"}, 0, "more than one column EyeBlinkLeft; allowed: each column once"),
        ({0: "00:61:00:00.000"}, 1, "line 2, Timecode: got '00:61:00:00.000'; allowed: minutes and seconds to 59"),
    ],
)
def test_each_wrong_cell_is_named(tmp_path: Path, change: dict[int, str], line: int, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        read_csv(altered(tmp_path, change, line))


def test_a_timecode_beyond_the_rate_that_was_told_is_named(tmp_path: Path) -> None:
    path = altered(tmp_path, {0: "00:00:01:45.000"}, 3)
    assert read_csv(path).times_s[2] == pytest.approx(1.75)
    with pytest.raises(
        InvalidValue, match=r"line 4, Timecode: got '00:00:01:45.000'.*frames to 29 \(timecode rate 30\)"
    ):
        read_csv(path, timecode_rate=30)
    with pytest.raises(InvalidValue, match="timecode_rate: got 0; allowed: 1 to 240"):
        read_csv(path, timecode_rate=0)


def test_many_missing_columns_are_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text("Timecode,EyeBlinkLeft\n00:00:00:00.000,0\n")
    with pytest.raises(InvalidValue, match=r"no column EyeLookDownLeft, .* and 45 more; allowed: all of the 52"):
        read_csv(path)


def test_gaze_a_little_over_one_is_clamped(tmp_path: Path) -> None:
    assert read_csv(altered(tmp_path, {3: "1.05"})).weights[0, 1] == 1.0


def test_files_that_are_no_takes(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="can not be read"):
        read_csv(tmp_path / "missing.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InvalidValue, match="a header with Timecode"):
        read_csv(tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text(",".join(HEADER))
    with pytest.raises(InvalidValue, match="a header without frames"):
        read_csv(tmp_path / "header.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    with pytest.raises(InvalidValue, match="can not be read"):
        read_csv(tmp_path / "binary.csv")


@given(st.lists(st.floats(-1.2, 1.2), min_size=3, max_size=3))
def test_rotations_have_the_signs_of_recorded_takes(angles: list[float]) -> None:
    yaw, pitch, roll = angles
    (quaternion,) = rotation_of(np.array([[yaw, pitch, roll]], np.float32))
    x, y, z, w = quaternion.astype(float)
    forward = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    # negative yaw looks to the subject's left (+X), positive pitch down (-Y); roll does not move the forward axis
    expected = [np.sin(-yaw) * np.cos(pitch), -np.sin(pitch), np.cos(-yaw) * np.cos(pitch)]
    np.testing.assert_allclose(forward, expected, atol=1e-5)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_one_rotation_is_read_as_many_are(angles: list[float]) -> None:
    turns = rotation_of(np.array([angles], np.float32))
    np.testing.assert_allclose(yaw_pitch_roll(turns[0]), angles_of(turns)[0], atol=1e-6)


def test_all_names_are_in_the_header() -> None:
    assert {name.lower() for name in ARKIT_NAMES} <= {name.lower() for name in HEADER}
