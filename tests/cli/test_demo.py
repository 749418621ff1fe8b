"""`facestream demo`: opens the viewer where somebody can look at it, and ends by itself where nobody can."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from facestream.audio.example import EXAMPLE
from facestream.cli.demo import _can_show

FETCH = """
import sys, urllib.request
from pathlib import Path
answer = urllib.request.urlopen(sys.argv[1])
Path({kept!r}).write_bytes(answer.read())
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    samples, rate = soundfile.read(EXAMPLE)
    soundfile.write(tmp_path / "clip.wav", samples[:rate], rate)
    return tmp_path / "clip.wav"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="screens are told otherwise there")
@pytest.mark.parametrize(
    ("environment", "is_terminal", "expected"),
    [
        ({"DISPLAY": ":0"}, True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ({"DISPLAY": ":0"}, False, False),
        ({"DISPLAY": ":0", "CI": "true"}, True, False),
        ({"DISPLAY": ""}, True, False),
        ({}, True, False),
    ],
)
def test_a_browser_is_opened_where_somebody_sits_before_a_screen(
    environment: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert _can_show(environment, is_terminal=is_terminal) is expected


def begun(clip: Path, folder: Path, *words: str, **variables: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "facestream.cli.main", "demo", "--clip", str(clip), "-o", str(folder), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | variables,
        # a suite that runs in the background ignores Ctrl+C, and so would what it begins
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nobody_there_it_names_the_viewer_and_ends(clip: Path, tmp_path: Path) -> None:
    with begun(clip, tmp_path / "made", DISPLAY=":0") as demo:
        told, _ = demo.communicate(timeout=200)
    assert demo.returncode == 0
    assert "facestream serve --viewer" in told
    assert sorted(path.suffix for path in (tmp_path / "made").iterdir()) == [".csv", ".glb", ".png"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no browser there")
def test_the_page_is_opened_and_served_until_it_is_interrupted(clip: Path, tmp_path: Path) -> None:
    kept, browser = tmp_path / "page.html", tmp_path / "browser.py"
    browser.write_text(FETCH.format(kept=str(kept)))
    with begun(clip, tmp_path / "made", "--browser", BROWSER=f"{sys.executable} {browser} %s") as demo:
        assert demo.stdout is not None
        told = next((line for line in demo.stdout if "Ctrl+C" in line), "")
        assert "http://127.0.0.1:" in told
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    assert b"<title>facestream</title>" in kept.read_bytes()
