"""The wheel is whole: in a clean environment, without the checkout, it animates speech and serves the demo."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _python("-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT))
    (found,) = folder.glob("facestream-*.whl")
    return found


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    _python("-m", "venv", str(folder))
    python = folder / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), str(wheel), folder=folder)
    return python


def _python(*arguments: str) -> None:
    _run(Path(sys.executable), *arguments, folder=ROOT)


def _run(program: Path, *arguments: str, folder: Path) -> str:
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_holds_stubs_bundles_and_the_example_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for expected in (
        "facestream/v1/animation_service_pb2_grpc.py",
        "facestream/nvidia_ace/services/a2f_controller/v1/a2f_controller_pb2_grpc.py",
        "facestream/py.typed",
        "facestream/examples/amiable.flac",
        "facestream_bundles/head/rig_profile.npz",
        "facestream_bundles/live/manifest.json",
        "facestream_bundles/deeptalk-compact/manifest.json",
        "facestream_bundles/diffposetalk-compact/manifest.json",
    ):
        assert expected in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    assert wheel.stat().st_size < 40e6


def test_installed_alone_it_animates_without_torch(clean_python: Path, tmp_path: Path) -> None:
    facestream = clean_python.parent / "facestream"
    rows = json.loads(_run(facestream, "models", "--json", folder=tmp_path))
    assert [row["state"] for row in rows] == ["ok"] * len(rows)
    clip = _run(clean_python, "-c", "from facestream.cli.demo import EXAMPLE; print(EXAMPLE)", folder=tmp_path).strip()
    assert Path(clip).is_relative_to(clean_python.parent.parent)
    _run(facestream, "animate", clip, "-o", "take.csv", folder=tmp_path)
    assert (tmp_path / "take.csv").stat().st_size > 10_000
    no_torch = "import importlib.util as u; assert u.find_spec('torch') is None"
    _run(clean_python, "-c", no_torch, folder=tmp_path)


def test_a_command_of_the_science_says_what_to_install(clean_python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [clean_python.parent / "facestream", "head", "fit"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "facestream[train]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
