from pathlib import Path

import numpy as np
import pytest
import soundfile

from facestream.audio.files import read_audio
from facestream.errors import AudioError


@pytest.mark.parametrize(("suffix", "tolerance"), [("wav", 1e-3), ("flac", 1e-3), ("ogg", 0.08), ("mp3", 0.08)])
def test_stereo_files_come_back_as_mono(tmp_path: Path, suffix: str, tolerance: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack((tone, 0.5 * tone), axis=1), 22050)
    samples, rate_hz = read_audio(path)
    assert rate_hz == 22050
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    np.testing.assert_allclose(samples[3000:20000].std(), (0.75 * tone).std(), rtol=tolerance)


def test_each_bad_file_gives_one_line_that_names_it(tmp_path: Path) -> None:
    cases: dict[str, str] = {}
    (tmp_path / "empty.wav").write_bytes(b"")
    cases["empty.wav"] = "an empty file"
    (tmp_path / "text.wav").write_text("this is not audio at all")
    cases["text.wav"] = "24 bytes that are not audio"
    cases["missing.wav"] = "no such file"
    (tmp_path / "folder.wav").mkdir()
    cases["folder.wav"] = "a folder"
    soundfile.write(tmp_path / "silent.wav", np.zeros((0, 1)), 16000)
    cases["silent.wav"] = "a file without samples"
    soundfile.write(tmp_path / "nine.wav", np.zeros((10, 9)), 16000)
    cases["nine.wav"] = "9 channels"
    soundfile.write(tmp_path / "fast.wav", np.zeros((10, 1)), 192000)
    cases["fast.wav"] = "192000"
    soundfile.write(tmp_path / "nan.wav", np.full((10, 1), np.nan), 16000, subtype="FLOAT")
    cases["nan.wav"] = "nan at sample 0"
    for name, found in cases.items():
        with pytest.raises(AudioError, match=found) as caught:
            read_audio(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value) or name == "fast.wav"
