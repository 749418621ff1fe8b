"""The command line as its user meets it: one line for a failure, files that other tools read for a success."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from facestream.cli.app import main
from facestream.cli.demo import EXAMPLE
from facestream.files.csv import read_csv
from facestream.files.gltf_reader import read_gltf_take
from facestream.files.npz import read_npz


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    samples, rate = soundfile.read(EXAMPLE, dtype="int16")
    path = tmp_path / "speech.wav"
    soundfile.write(path, samples[: int(1.5 * rate)], rate)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of `facestream ARGUMENTS`."""
    monkeypatch.setattr("sys.argv", ["facestream", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def failure(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a failing command prints."""
    assert run(monkeypatch, *arguments) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_animate_writes_the_same_take_in_every_format(
    monkeypatch: pytest.MonkeyPatch, speech: Path, tmp_path: Path
) -> None:
    takes = [tmp_path / f"take{suffix}" for suffix in (".csv", ".npz", ".glb")]
    outputs = [word for take in takes for word in ("-o", str(take))]
    assert run(monkeypatch, "animate", str(speech), *outputs, "--frame-rate", "60") == 0
    from_npz, rate = read_npz(takes[1])
    assert rate.numerator == 60
    assert from_npz.count > 90
    assert from_npz.weights.max() > 0.02
    np.testing.assert_allclose(read_csv(takes[0]).weights, from_npz.weights, atol=1e-6)
    np.testing.assert_allclose(read_gltf_take(takes[2]).weights, from_npz.weights, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"", "empty file"), (b"hello, this is text", "not audio")],
    ids=["missing", "empty", "text"],
)
def test_a_file_that_is_no_audio_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    content: bytes | None,
    said: str,
) -> None:
    path = tmp_path / "speech.wav"
    if content is not None:
        path.write_bytes(content)
    line = failure(monkeypatch, capfd, "animate", str(path), "-o", str(tmp_path / "take.csv"))
    assert said in line
    assert "wav, flac, ogg or mp3" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "nobody"], ["nobody", "live"]),
        (["--frame-rate", "fast"], ["fast", "30000/1001"]),
        (["--frame-rate", "500"], ["500/1"]),
        (["--mouth-strength", "nan"], ["nan", "from 0 to 2"]),
        (["-o", "take.mp4"], ["take.mp4", ".csv, .npz, .json, .glb, .usda"]),
        (["-o", "nowhere/take.csv"], ["nowhere", "folder that exists"]),
    ],
    ids=lambda value: "-".join(value).replace("/", "|"),
)
def test_a_bad_option_names_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    speech: Path,
    tmp_path: Path,
    options: list[str],
    said: list[str],
) -> None:
    line = failure(monkeypatch, capfd, "animate", str(speech), "-o", str(tmp_path / "take.csv"), *options)
    for words in said:
        assert words in line


def test_nine_channels_are_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "nine.wav"
    soundfile.write(path, np.zeros((1600, 9)), 16000)
    line = failure(monkeypatch, capfd, "animate", str(path), "-o", str(tmp_path / "take.csv"))
    assert "9 channels" in line
    assert "1 to 8" in line


def test_a_port_that_is_taken_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = failure(monkeypatch, capfd, "serve", "--port", str(port), "--log-level", "error")
    assert str(port) in line
    assert "free" in line


def test_a_server_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], speech: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = failure(monkeypatch, capfd, "stream", str(speech), "--server", f"127.0.0.1:{port}")
    assert str(port) in line


def test_models_lists_the_shipped_bundle_as_checked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models", "--json") == 0
    rows = json.loads(capfd.readouterr().out)
    assert {row["name"]: row["state"] for row in rows}["live"] == "ok"


def test_doctor_finds_this_installation_well(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "doctor") == 0
    report = capfd.readouterr().out
    assert "model live" in report
    assert "fail" not in report


def test_converting_asks_for_a_known_family_and_for_the_terms(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "there is: deeptalk" in failure(monkeypatch, capfd, "models", "convert", "wav2lip")
    checkpoint = tmp_path / "DEEPTalk.pth"
    checkpoint.write_bytes(b"")
    said = failure(monkeypatch, capfd, "models", "convert", "deeptalk", "--checkpoint", str(checkpoint))
    assert "--accept-terms" in said
    said = failure(
        monkeypatch, capfd, "models", "convert", "deeptalk", "--checkpoint", str(checkpoint), "--accept-terms"
    )
    assert str(checkpoint) in said
    files = [f"--{name}={tmp_path / name}" for name in ("denoiser", "style-encoder", "statistics")]
    said = failure(monkeypatch, capfd, "models", "convert", "diffposetalk", *files, "--accept-terms")
    assert "`stats_train.npz` comes with the data set of the model's authors" in " ".join(said.split())
