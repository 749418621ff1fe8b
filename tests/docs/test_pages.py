"""Every command and every piece of Python in the pages runs."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from facestream.acting import Emotion
from facestream.cli.demo import EXAMPLE, running_server
from facestream.engines.bundle import open_bundle
from facestream.engines.diffposetalk_style import styles_of
from facestream.files.csv import write_csv
from facestream.files.gltf_head import write_animated_glb
from facestream.retarget.profile import shipped_profile_path
from facestream.timebase import FrameRate
from facestream_bench import main as benchmarks
from facestream_bench.server_process import running_server as running_web_server
from tests.cli.test_commands import run
from tests.docs.markdown import PAGES, ROOT, Block, blocks, commands
from tests.engines.tiny_deeptalk import WIDTH, write_tiny_deeptalk
from tests.motion.test_reference_take import talking

LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(#[^)]*)?\)")
SERVER, WEB_SERVER = "localhost:50051", "localhost:8080"
STYLED = "diffposetalk-compact"
LONG = ("facestream_models.corpus", "facestream_bench", "facestream_models.teacher")
"""Commands that take minutes or data a fresh user does not have: their `--help` runs instead."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_server(Console(stderr=True)) as server:
        yield server.address


@pytest.fixture(scope="module")
def web_address() -> Iterator[str]:
    with running_web_server("live", 4, websocket_port=0) as found:
        yield found.web_address


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with what the pages speak of: recordings, the examples, and a small bundle that acts."""
    shutil.copytree(EXAMPLE.parent, tmp_path / "examples")
    import soundfile

    samples, rate = soundfile.read(EXAMPLE)
    soundfile.write(tmp_path / "speech.wav", samples[: 2 * rate], rate)
    soundfile.write(tmp_path / "clip.wav", samples[rate : 2 * rate], rate)
    write_tiny_deeptalk(tmp_path / "my-deeptalk")
    shutil.copy(shipped_profile_path().with_name("open_head.glb"), tmp_path / "hero.glb")
    write_csv(tmp_path / "take.csv", talking(1, 30)[0], FrameRate(30))
    Emotion(np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)).save(tmp_path / "my.emotion.npz")
    return tmp_path


def _add_styles(workplace: Path) -> None:
    """A style of the model that ships, and takes to make others of."""
    styles_of(open_bundle(STYLED))[1]["smiling"].save(workplace / "my.style")
    frames, _, _ = talking(5, 30)
    write_csv(workplace / "take.csv", frames, FrameRate(30))
    write_animated_glb(workplace / "take.glb", frames, FrameRate(30))


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        words, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )


def _is_understood(
    words: list[str], where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A benchmark's command and every option of it, which take minutes to run, are those that its help tells."""
    monkeypatch.setattr(sys, "argv", ["facestream-bench", words[0], "--help"])
    with pytest.raises(SystemExit) as end:
        benchmarks.main()
    assert end.value.code == 0, f"{where}: no command {words[0]}"
    told = capsys.readouterr().out
    unknown = [word for word in words if word.startswith("-") and word not in told.replace(",", " ").split()]
    assert not unknown, f"{where}: {words[0]} has no {unknown}"


def _names_what_is_there(words: list[str], where: str) -> None:
    """A build's folder exists, with the preset that is asked for."""
    folder = words[words.index("-S") + 1] if "-S" in words else words[words.index("--build") + 1].split("/build/")[0]
    preset = words[words.index("--preset") + 1] if "--preset" in words else words[-1].split("/build/")[1]
    known = json.loads((ROOT / folder / "CMakePresets.json").read_text())["configurePresets"]
    assert preset in [one["name"] for one in known], f"{where}: {folder} has no preset {preset}"


def _builds_the_web_client(words: list[str], where: str) -> None:
    """A script of its package, or a copy of what that makes."""
    package = json.loads((ROOT / "engine_plugins/web/package.json").read_text())
    if words[0] == "npm":
        assert words[1:3] == ["--prefix", "engine_plugins/web"], where
        assert words[-1] == "ci" or words[-1] in package["scripts"], f"{where}: no script {words[-1]}"
    else:
        assert words[:3] == ["cp", "-r", "engine_plugins/web/dist"], where
        assert package["files"][0] == "dist"


@pytest.mark.parametrize(("where", "command"), commands(), ids=lambda value: value.replace("/", "|"))
def test_command_runs(
    where: str,
    command: str,
    workplace: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = shlex.split(command)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(name, value)
    if words[:2] in (["pip", "install"], ["git", "clone"]):
        assert "facestream" in command or words[2] == "-e", f"{where}: installs something else: {command}"
        return
    if words[0] == "facestream-bench":
        _is_understood(words[1:], where, monkeypatch, capsys)
        return
    if words[:2] == ["pip", "download"]:
        held = (ROOT / words[words.index("-c") + 1]).read_text().splitlines()
        unheld = {*words[words.index("-c") + 2 :]} - {line.split("==")[0] for line in held}
        assert not unheld, f"{where}: the project's constraints name no {unheld}"
        return
    if words[0] == "benchmarks/gpu_pack.sh":
        assert (ROOT / words[0]).exists()
        _is_understood(["gpu", *words[3:]], where, monkeypatch, capsys)  # tests/bench runs it
        return
    if words[0] == "benchmarks/load_client/pack.sh":
        assert os.access(ROOT / words[0], os.X_OK)  # tests/bench runs it
        return
    if words[0] == "cmake":
        _names_what_is_there(words, where)  # and tests/plugins builds it
        return
    if words[0] in ("npm", "cp"):
        _builds_the_web_client(words, where)  # and tests/engine_plugins does it
        return
    if words[0] == "make":
        done = _run(["make", "-n", *words[1:]], ROOT)
    elif words[:2] == ["facestream", "serve"]:
        free = ["0" if word == "8080" else word for word in words]
        if "--viewer" in words and "--websocket-port" not in words:
            free += ["--websocket-port", "0"]
        done = _run([*free, "--port", "0", "--check"], workplace)
    elif words[:2] == ["facestream", "demo"]:
        done = _run([*words, "--clip", "speech.wav"], workplace)
    elif words[:2] == ["facestream", "stream"]:
        done = _run([*words, "--server", request.getfixturevalue("address")], workplace)
    elif {"my-deeptalk", STYLED} & {*words} or where.startswith("docs/files.md"):
        if STYLED in words:
            _add_styles(workplace)
        monkeypatch.chdir(workplace)  # in this process: the page has many, and a new one takes a second to begin
        assert run(monkeypatch, *words[1:]) == 0, f"{where}: {command}"
        return
    elif words[0] == "facestream":
        done = _run(words, workplace)
    elif words[:3] == ["python", "-m", "http.server"]:
        done = _run([sys.executable, "-m", "http.server", "--help"], workplace)
    elif words[:2] == ["python", "engine_plugins/godot/tools/demo.py"]:
        done = _run([sys.executable, str(ROOT / words[1]), *words[2:]], workplace)  # and tests/plugins plays it
    elif words[:2] == ["python", "-m"] and words[2].startswith(LONG):
        done = _run([sys.executable, "-m", words[2], "--help"], workplace)
    else:
        pytest.fail(f"{where}: no rule to test {command!r}; add one here")
    assert done.returncode == 0, f"{where}: {command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.name.replace("/", "|"))
def test_python_runs(block: Block, workplace: Path, request: pytest.FixtureRequest) -> None:
    text = block.text
    for server, fixture in ((SERVER, "address"), (WEB_SERVER, "web_address")):
        if server in text:
            text = text.replace(server, request.getfixturevalue(fixture))
    done = _run([sys.executable, "-W", "error", "-c", text], workplace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)).replace("/", "|"))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [match[1] for match in LINK.finditer(page.read_text()) if "://" not in match[1]]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_pages_are_found() -> None:
    """Without this, an empty list would make every test above pass."""
    assert len(commands()) >= 5
    assert blocks("python")
