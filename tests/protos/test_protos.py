import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facestream.v1 import animation_service_pb2, config_pb2, frames_pb2

PROTOS = Path(__file__).resolve().parents[2] / "protos"
BUF = Path(sys.executable).with_name("buf")


def buf(*arguments: str, folder: Path = PROTOS) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BUF), *arguments], cwd=folder, capture_output=True, text=True)


def test_lint_finds_nothing() -> None:
    result = buf("lint")
    assert (result.returncode, result.stdout) == (0, "")


def test_lint_refuses_a_field_without_a_comment(tmp_path: Path) -> None:
    shutil.copytree(PROTOS, tmp_path / "protos")
    frames = tmp_path / "protos/facestream/v1/frames.proto"
    frames.write_text(frames.read_text().replace("  // Frames in this run, at least 1.\n", ""))
    result = buf("lint", folder=tmp_path / "protos")
    assert result.returncode != 0
    assert "frame_count" in result.stdout


def test_files_are_formatted() -> None:
    result = buf("format", "--diff", "--exit-code")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("request_name", ["AnimateRequest", "AnimateClipRequest"])
def test_clip_and_live_requests_agree_on_numbers(request_name: str) -> None:
    live = animation_service_pb2.AnimateRequest.DESCRIPTOR.fields_by_name
    other = animation_service_pb2.DESCRIPTOR.message_types_by_name[request_name].fields_by_name
    assert {name: field.number for name, field in other.items()}.items() <= {
        name: field.number for name, field in live.items()
    }.items()


def test_frames_are_packed() -> None:
    run = frames_pb2.FrameRun(frame_count=1, weights=[0.5] * 52)
    # a tag, a length, then nothing but the floats: 52 of them take 211 bytes, not 260
    assert len(run.SerializeToString()) == 2 + 1 + 2 + 4 * 52


def test_every_enum_has_a_meaningless_zero() -> None:
    files = [animation_service_pb2.DESCRIPTOR, config_pb2.DESCRIPTOR]
    for file in (*files, *(dependency for one in files for dependency in one.dependencies)):
        for enum in file.enum_types_by_name.values():
            assert enum.values_by_number[0].name.endswith("_UNSPECIFIED"), enum.full_name
