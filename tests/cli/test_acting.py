"""Emotion from the command line, on a small bundle of its own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from facestream.acting import Emotion
from facestream.files.npz import read_npz
from tests.cli.test_commands import failure, run
from tests.engines.tiny_deeptalk import WIDTH, write_tiny_deeptalk
from tests.serving.streams import babble


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_tiny_deeptalk(tmp_path / "acts"))


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    soundfile.write(path, babble(1, 16000, 1.5), 16000)
    return path


def test_an_emotion_is_kept_and_acted_with(
    monkeypatch: pytest.MonkeyPatch, model: str, speech: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.npz"
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, babble(3, 22050, 1.0), 22050)
    assert run(monkeypatch, "emotion", "extract", str(clip), "-o", str(kept), "--model", model) == 0
    assert Emotion.load(kept).width == WIDTH
    ways = {
        "own": [],
        "kept": ["--emotion", str(kept)],
        "clip": ["--emotion", str(clip)],
        "preset": ["--emotion", "happy", "--emotion-spread", "2"],
        "sampled": ["--tau-top", "2", "--speaker", "third"],
    }
    takes = {}
    for name, options in ways.items():
        take = tmp_path / f"{name}.npz"
        assert run(monkeypatch, "animate", str(speech), "-o", str(take), "--model", model, *options) == 0
        takes[name] = read_npz(take)[0].weights
    np.testing.assert_allclose(takes["kept"], takes["clip"], atol=1e-5)
    for name in ("kept", "preset", "sampled"):
        assert np.abs(takes[name] - takes["own"]).mean() > 0.002, name


def test_wrong_acting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], model: str, speech: Path, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16000), 16000)
    take = tmp_path / "take.npz"
    animate = ("animate", str(speech), "-o", str(take), "--model", model)
    assert "preset: got 'furious'; allowed: neutral, happy, sad" in failure(
        monkeypatch, capfd, *animate, "--emotion", "furious"
    )
    assert "sampling.tau_bottom: got 0.0" in failure(monkeypatch, capfd, *animate, "--tau-bottom", "0")
    assert "audio: got silence" in failure(monkeypatch, capfd, *animate, "--emotion", str(silent))
    assert "missing.npy" in failure(monkeypatch, capfd, *animate, "--emotion", "missing.npy")
    plain = ("animate", str(speech), "-o", str(take), "--emotion", "happy")
    assert "this model can not act" in failure(monkeypatch, capfd, *plain)
    extract = ("emotion", "extract", str(speech), "-o", str(tmp_path / "kept.npz"), "--model", "live")
    assert "this model can not act" in failure(monkeypatch, capfd, *extract)
    assert not take.exists()


def test_without_a_model_that_acts_one_line_says_how_to_come_by_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], speech: Path, tmp_path: Path
) -> None:
    extract = ("emotion", "extract", str(speech), "-o", str(tmp_path / "kept.npz"))
    monkeypatch.setattr("facestream.cli.emotion.DEFAULT_MODEL", "never-shipped")
    said = failure(monkeypatch, capfd, *extract, "--model", "never-shipped")
    assert "model: got none, and never-shipped is not installed; allowed: --model FOLDER" in said
    assert "facestream models convert deeptalk" in said
    assert "no model named 'other'" in failure(monkeypatch, capfd, *extract, "--model", "other")
