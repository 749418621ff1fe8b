"""Real human speech: where it lies, what is said in it, and what may be trained on.

Prompts: the Debian packages `asterisk-core-sounds-{en,es,fr,it,ru}-g722` (audio) and `asterisk-core-sounds-{...}`
(texts). Italian and Russian are CC-BY-3.0 and may be trained on with attribution; English, Spanish and French are
CC-BY-SA-3.0 and are for evaluation only. Music on hold: `asterisk-moh-opsound-g722`, evaluation only.

GRID: a folder with `audio-N.opus`, `curves.npz` and, where there, `words.json` (README of that data set). CC BY 4.0. A
fixed tenth of speaker s1 and all other speakers are held out.

Needs the program ffmpeg for G.722.
"""

import gzip
import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16_000
GRID_CLIP_SAMPLES = 48_000

PROMPT_FOLDERS = {
    "en": "en_US_f_Allison",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
    "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
}
TRAINABLE_PROMPTS = frozenset({"it", "ru"})
RECORDED_SOURCES = frozenset({"grid", *(f"prompt-{language}" for language in TRAINABLE_PROMPTS)})
"""Sources of the corpus that are people's voices."""

_FILES_PER_RUN = 40
_SOUNDS = Path("/usr/share/asterisk/sounds")
_TEXTS = Path("/usr/share/doc")


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording: `audio` float32 [T] at 16 kHz, its transcript, and word times in seconds where known."""

    key: str
    language: str
    text: str
    audio: NDArray[np.float32]
    words: tuple[tuple[float, float, str], ...] = ()


def decode_g722(paths: Sequence[Path]) -> Iterator[NDArray[np.float32]]:
    """Raw 16 kHz G.722 files -> float32 [T] each, in order. Raises RuntimeError when ffmpeg is missing or fails.

    One ffmpeg run decodes many files: starting it costs more than a prompt's decoding.
    """
    for first in range(0, len(paths), _FILES_PER_RUN):
        group = paths[first : first + _FILES_PER_RUN]
        with tempfile.TemporaryDirectory() as folder:
            outputs = [Path(folder) / f"{number}.raw" for number in range(len(group))]
            command = ["ffmpeg", "-v", "error", "-nostdin"]
            for path in group:
                command += ["-f", "g722", "-i", str(path)]
            for number, output in enumerate(outputs):
                command += ["-map", str(number), "-f", "s16le", "-ac", "1", "-ar", str(RATE), str(output)]
            try:
                subprocess.run(command, check=True, capture_output=True)
            except FileNotFoundError as error:
                raise RuntimeError("ffmpeg is not installed; `apt-get install ffmpeg` and try again") from error
            except subprocess.CalledProcessError as error:
                reason = error.stderr.decode(errors="replace").strip()
                raise RuntimeError(f"ffmpeg could not decode G.722 files beside {group[0]}: {reason}") from error
            for output in outputs:
                yield np.frombuffer(output.read_bytes(), dtype="<i2").astype(np.float32) / 32768.0


def prompt_texts(language: str, texts: Path = _TEXTS) -> dict[str, str]:
    """Prompt key -> text, for the keys whose text is speech (stage directions in brackets and tones are left out)."""
    _check_language(language)
    path = texts / f"asterisk-core-sounds-{language}" / f"core-sounds-{language}.txt.gz"
    if not path.is_file():
        raise FileNotFoundError(f"no {path}; `apt-get install asterisk-core-sounds-{language}`")
    found = {}
    with gzip.open(path, "rt", encoding="utf-8-sig") as file:
        for line in file:
            key, colon, text = line.strip().partition(":")
            text = text.strip()
            spoken = bool(text) and not set(text) & set("[]<>()") and not _BROKEN_TEXT.search(text)
            if colon and spoken and not key.startswith(";"):
                found[key.strip()] = text
    return found


def prompts(language: str, sounds: Path = _SOUNDS, texts: Path = _TEXTS) -> Iterator[Recording]:
    """All prompts of one language that have both audio and a spoken text, in order of their keys."""
    folder = sounds / PROMPT_FOLDERS[_check_language(language)]
    if not folder.is_dir():
        raise FileNotFoundError(f"no {folder}; `apt-get install asterisk-core-sounds-{language}-g722`")
    known = {key: text for key, text in sorted(prompt_texts(language, texts).items()) if _prompt(folder, key).is_file()}
    decoded = decode_g722([_prompt(folder, key) for key in known])
    for (key, text), audio in zip(known.items(), decoded, strict=True):
        yield Recording(key, language, text, audio)


def grid_clips(folder: Path) -> Iterator[Recording]:
    """Every clip of a GRID folder in the order of its `curves.npz`; texts are spelt by the clip names."""
    with np.load(folder / "curves.npz", allow_pickle=False) as curves:
        names = [str(name) for name in curves["ids"]]
    times_path = folder / "words.json"
    times = json.loads(times_path.read_text(encoding="utf-8")) if times_path.is_file() else {}
    for first in range(0, len(names), 100):
        audio, rate = soundfile.read(folder / f"audio-{first // 100}.opus", dtype="float32")
        if rate != RATE:
            raise ValueError(f"{folder}/audio-{first // 100}.opus has {rate} Hz, expected {RATE}")
        for number, name in enumerate(names[first : first + 100]):
            start = number * GRID_CLIP_SAMPLES
            words = tuple((float(begin), float(end), str(word)) for begin, end, word in times.get(name, ()))
            yield Recording(name, "en-gb", grid_sentence(name), audio[start : start + GRID_CLIP_SAMPLES], words)


_BROKEN_TEXT = re.compile(r"\w\?\s*[a-z]")  # an accented letter that was lost in the Italian list
_GRID_WORDS: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter.upper() for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)),  # noqa: SIM905
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def grid_sentence(name: str) -> str:
    """The six words that a GRID clip name spells, letters in upper case: "bbaf2n" -> "bin blue at F two now"."""
    try:
        return " ".join(table[character] for table, character in zip(_GRID_WORDS, name[:6].lower(), strict=True))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is no GRID clip name; one looks like 'bbaf2n'") from error


def is_grid_held_out(name: str) -> bool:
    """Whether a clip of speaker s1 belongs to the fixed tenth that no training may see."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 10 == 0


def _prompt(folder: Path, key: str) -> Path:
    return folder / f"{key}.g722"


def _check_language(language: str) -> str:
    if language not in PROMPT_FOLDERS:
        raise ValueError(f"no prompts in {language!r}; there are {', '.join(PROMPT_FOLDERS)}")
    return language
