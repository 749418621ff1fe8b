import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from facestream_models.corpus.real import decode_g722, grid_clips, grid_sentence, is_grid_held_out, prompt_texts

NAMES = [
    f"{command}{colour}{preposition}{letter}{digit}{adverb}"
    for command in "blps"
    for colour in "bgrw"
    for preposition in "abiw"
    for letter in "afkz"
    for digit in "z19"
    for adverb in "anps"
]


def test_a_tenth_of_the_clips_is_held_out_for_ever() -> None:
    share = np.mean([is_grid_held_out(name) for name in NAMES])
    assert 0.08 < share < 0.12
    assert [name for name in NAMES if is_grid_held_out(name)][:4] == ["bbaaza", "bbaa1a", "bbazzp", "bbaz9p"]


def test_clip_names_spell_sentences() -> None:
    assert grid_sentence("bbaf2n") == "bin blue at F two now"
    assert grid_sentence("swizza") == "set white in Z zero again"
    assert len({grid_sentence(name) for name in NAMES}) == len(NAMES)


GRID_NAME = re.compile("[blps][bgrw][abiw][a-vx-z][z1-9][anps]", re.IGNORECASE | re.ASCII)


@given(st.text(max_size=8) | st.from_regex("[blps][bgrw][abiw][a-z][z0-9][anps]", fullmatch=True))
def test_other_names_are_refused(name: str) -> None:
    if GRID_NAME.match(name):
        assert len(grid_sentence(name).split()) == 6
    else:
        with pytest.raises(ValueError, match=re.escape(repr(name))):
            grid_sentence(name)


def test_grid_clips_are_cut_from_their_files(tmp_path: Path) -> None:
    names = NAMES[:3]
    soundfile.write(
        tmp_path / "audio-0.opus",
        np.repeat([0.1, 0.3, -0.3], 48_000).astype(np.float32),
        16_000,
        format="OGG",
        subtype="OPUS",
    )
    np.savez(tmp_path / "curves.npz", ids=np.array(names))
    (tmp_path / "words.json").write_text(json.dumps({names[1]: [[0.0, 0.5, "sil"], [0.5, 1.0, "bin"]]}))
    clips = list(grid_clips(tmp_path))
    assert [clip.key for clip in clips] == names
    assert all(clip.audio.shape == (48_000,) for clip in clips)
    assert clips[1].words == ((0.0, 0.5, "sil"), (0.5, 1.0, "bin"))
    assert clips[0].text.startswith("bin blue at")


def test_prompt_texts_keep_only_what_is_spoken(tmp_path: Path) -> None:
    folder = tmp_path / "asterisk-core-sounds-it"
    folder.mkdir()
    lines = (
        "\ufeff; note\n\nactivated: Attivato.\nbeep: [un tono]\nbroken: il tempo sar? esattamente\nask: Cosa vuoi?\n"
    )
    (folder / "core-sounds-it.txt.gz").write_bytes(gzip.compress(lines.encode()))
    assert prompt_texts("it", tmp_path) == {"activated": "Attivato.", "ask": "Cosa vuoi?"}
    with pytest.raises(FileNotFoundError, match="asterisk-core-sounds-ru"):
        prompt_texts("ru", tmp_path)
    with pytest.raises(ValueError, match="'xx'"):
        prompt_texts("xx", tmp_path)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_prompts_are_decoded_in_order_and_a_missing_one_is_named(tmp_path: Path) -> None:
    lengths = [16_000, 8_000, 24_000]
    paths = []
    for number, length in enumerate(lengths):
        path = tmp_path / f"{number}.g722"
        tone = (8000 * np.sin(np.arange(length) * 0.1 * (number + 1))).astype("<i2")
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-f",
            "s16le",
            "-ar",
            "16000",
            "-ac",
            "1",
            "-i",
            "-",
            "-f",
            "g722",
            str(path),
        ]
        subprocess.run(command, input=tone.tobytes(), check=True)
        paths.append(path)
    decoded = list(decode_g722(paths))
    assert [len(audio) for audio in decoded] == lengths
    for number, audio in enumerate(decoded):
        peak = np.abs(np.fft.rfft(audio)).argmax() * 2 * np.pi / len(audio)
        assert peak == pytest.approx(0.1 * (number + 1), abs=0.001)
    with pytest.raises(RuntimeError, match="beside"):
        list(decode_g722([paths[0], tmp_path / "missing.g722"]))
