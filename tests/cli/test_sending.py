"""`facestream stream --to` against a real server and real sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from pylivelinkface import PyLiveLinkFace
from rich.console import Console

from facestream.cli.demo import EXAMPLE, running_server
from tests.cli.test_commands import failure, run
from tests.transports.senders.faces import all_heard, listener


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_server(Console(stderr=True)) as server:
        yield server.address


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    samples, rate = soundfile.read(EXAMPLE, dtype="int16")
    path = tmp_path / "speech.wav"
    soundfile.write(path, samples[: rate // 2], rate)
    return path


@pytest.mark.parametrize("from_server", [False, True])
def test_a_face_is_shown_by_both_tools(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], speech: Path, address: str, from_server: bool
) -> None:
    with listener() as (one, first), listener() as (two, second):
        targets = [f"livelink://:{first}?subject=Hero", f"vmc://:{second}"]
        options = [word for target in targets for word in ("--to", target)] + ["--from-server"] * from_server
        assert run(monkeypatch, "stream", str(speech), "--server", address, "--frame-rate", "60", *options) == 0
        said = capfd.readouterr().out
        packets = all_heard(one)
        assert len(packets) >= 5  # of some fifty faces: a busy machine leaves out those that are late
        assert {PyLiveLinkFace.decode(packet)[1].name for packet in packets} == {"Hero"}
        assert len(all_heard(two)) >= 5
        assert (f"packets to {targets[0]}" in said) != from_server


def test_a_tool_that_is_not_open_is_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], speech: Path, address: str
) -> None:
    with listener() as (_, port):
        pass
    assert run(monkeypatch, "stream", str(speech), "--server", address, "--to", f"livelink://:{port}") == 0
    assert "nobody listened there: is the tool open" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "smoke://host"], "livelink://HOST:PORT"),
        (["--to", "livelink://host:99999"], "a port from 1 to 65535"),
        (["--to", "livelink://no-such-host.invalid"], "a host that can be found"),
        (["--from-server"], "a target, for example --to"),
        (["--from-server", "--to", "livelink://203.0.113.5"], "send_targets lists; add '203.0.113.5:11111'"),
    ],
)
def test_a_bad_target_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    speech: Path,
    address: str,
    options: list[str],
    said: str,
) -> None:
    assert said in failure(monkeypatch, capfd, "stream", str(speech), "--server", address, *options)
