"""Neural speech with phone times: Kokoro-82M through ONNX Runtime.

Text becomes IPA with espeak-ng, IPA becomes tokens (with Kokoro's own one-letter diphthongs for English), and the
graph gives the audio and, through an output declared here, the predicted duration of every token in units of 600
samples at 24 kHz (25 ms). Measured on strong fricatives and bilabials, these times are late by 62 ms; every inner
boundary is moved back by that much (speech-motion-data specification, section 1). The last phone before a pause owns
up to 350 ms of silence after it (measured 2026-11-21 on 12 utterances, median 280 ms), so `segments.fit_pauses` then
moves the boundaries beside pauses to where the sound begins and ends.

Needs the Debian package `espeak-ng` and the files of `sources.fetch_kokoro`.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import soxr
from numpy.typing import NDArray

from facestream_models.corpus.phones import PAUSE_SYMBOL, VOWELS, parts_of
from facestream_models.corpus.segments import Segment, fit_pauses

SAMPLE_RATE = 24_000
DURATION_UNIT = 600 / SAMPLE_RATE
LABEL_DELAY = 0.062
LONGEST_TOKEN_STRING = 400
_SHORTEST_BLANK_PAUSE = 0.160
_DURATIONS_TENSOR = "/encoder/Clip_output_0"

_STRESS = frozenset("ˈˌ")
_TRAILING_MARKS = frozenset("ːʰʲᵝ̃↓→↗↘")
_PUNCTUATION = frozenset(';:,.!?—…"()“”')
_CLAUSE = re.compile(r"([^,;:.!?…—]+)([,;:.!?…—]*)")

# espeak-ng IPA -> Kokoro letters. English as in the G2P that Kokoro was trained with; other languages join affricates
# and the diphthongs that have a letter.
_ENGLISH = (
    ("ʔˌn̩", "tn"), ("ʔn̩", "tn"), ("ʔn", "tn"), ("ʔ", "t"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"),
    ("x", "k"), ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"), ("̃", ""),
)  # fmt: skip
_AMERICAN = (("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("ɾ", "T"), ("o", "ɔ"))
_BRITISH = (("e^ə", "ɛː"), ("iə", "ɪə"), ("ə^ʊ", "Q"), ("ɾ", "T"))
_OTHER = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^z", "ʣ"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ə^ʊ", "Q"), ("s^s", "S"),
    ("t^s", "ʦ"), ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("-", ""),
)  # fmt: skip
_LETTERS = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ", "T": "ɾ", "S": "s", "ᵊ": "ə",
}  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """What one run gives: `audio` float32 [T] at 24 kHz and its `segments` (seconds)."""

    audio: NDArray[np.float32]
    segments: list[Segment]


def phonemize(text: str, language: str) -> str:
    """Text -> Kokoro token string, with the punctuation that makes pauses. `language` is an espeak-ng voice name."""
    clauses = [(words.strip(), marks) for words, marks in _CLAUSE.findall(text) if words.strip()]
    spoken = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", language, "-b", "1", "--stdin"],
        input="\n\n".join(words for words, _ in clauses),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [line.strip() for line in spoken.splitlines() if line.strip()]
    if len(lines) != len(clauses):  # espeak-ng split a clause of its own: keep its pauses as commas
        return rewrite(", ".join(lines), language) + "."
    pieces = [rewrite(line, language) + (marks[:1] or "") for line, (_, marks) in zip(lines, clauses, strict=True)]
    return " ".join(pieces)


def rewrite(ipa: str, language: str) -> str:
    """espeak-ng IPA with `^` ties -> Kokoro's alphabet."""
    ipa = re.sub(r"\([a-z-]+\)", "", ipa.replace("\u200d", "^"))  # drop language switch marks
    english = _ENGLISH + (_BRITISH if language == "en-gb" else _AMERICAN)
    rules = english if language.startswith("en") else _OTHER
    for old, new in rules:
        ipa = ipa.replace(old, new)
    return re.sub(r"(\S)̩", r"ᵊ\1", ipa).replace("^", "")


def segments_of(tokens: str, durations: NDArray[np.floating], language: str) -> list[Segment]:
    """Token string and durations (one per token and one for each end, in 25 ms units) -> contiguous segments.

    Auxiliary tokens give their time away: a stress mark to the phone after it, length and other trailing marks to
    the phone before them, a blank to both neighbours unless it lasts over 160 ms. Punctuation and the two ends are
    pauses. Inner boundaries move back by the 62 ms label delay; what falls before zero is dropped.
    """
    if len(durations) != len(tokens) + 2:
        raise ValueError(f"{len(tokens)} tokens need {len(tokens) + 2} durations, got {len(durations)}")
    seconds = np.asarray(durations, dtype=np.float64) * DURATION_UNIT
    spans: list[tuple[str, float]] = [("", float(seconds[0]))]
    owed = 0.0  # time of stress marks and half blanks, owed to the next span
    for token, length in zip(tokens, seconds[1:-1], strict=True):
        if token in _STRESS:
            owed += length
        elif token in _TRAILING_MARKS:
            spans[-1] = (spans[-1][0], spans[-1][1] + length)
        elif token == " " and length <= _SHORTEST_BLANK_PAUSE:
            spans[-1] = (spans[-1][0], spans[-1][1] + length / 2)
            owed += length / 2
        else:
            pause = token == " " or token in _PUNCTUATION
            spans.append(("" if pause else token, length + owed))
            owed = 0.0
    spans.append(("", float(seconds[-1]) + owed))
    return _timed(_join_r_coloured(spans, language), language)


def _join_r_coloured(spans: list[tuple[str, float]], language: str) -> list[tuple[str, float]]:
    """American ɜɹ, and əɹ that no vowel follows, are one r-coloured vowel, written as two tokens."""
    if language != "en-us":
        return spans
    joined: list[tuple[str, float]] = []
    for number, (token, length) in enumerate(spans):
        following = spans[number + 1][0] if number + 1 < len(spans) else ""
        if token == "ɹ" and joined and joined[-1][0] in {"ɜ", "ə"}:
            before_vowel = bool(following) and _parts(following, language)[0][1] in VOWELS
            if joined[-1][0] == "ɜ" or not before_vowel:
                joined[-1] = ("ɚ", joined[-1][1] + length)
                continue
        joined.append((token, length))
    return joined


def _parts(token: str, language: str) -> list[tuple[str, int, float]]:
    return [(p.symbol, p.class_index, p.share) for p in parts_of(_LETTERS.get(token, token), language)]


def _timed(spans: list[tuple[str, float]], language: str) -> list[Segment]:
    timed: list[Segment] = []
    now = 0.0
    total = sum(length for _, length in spans)

    def append(phone: str, class_index: int, end: float, last: bool) -> None:
        shifted = total if last else end - LABEL_DELAY
        start = timed[-1].end if timed else 0.0
        if shifted <= start:
            return
        if timed and timed[-1].phone == phone == PAUSE_SYMBOL:
            timed[-1] = Segment(phone, class_index, timed[-1].start, shifted)
        else:
            timed.append(Segment(phone, class_index, start, shifted))

    for number, (token, length) in enumerate(spans):
        parts = _parts(token, language) if token else [(PAUSE_SYMBOL, 0, 1.0)]
        for symbol, class_index, share in parts:
            now += share * length
            append(symbol, class_index, now, number == len(spans) - 1)
    return timed


class Kokoro:
    """The synthesiser: `home` is the folder that `sources.fetch_kokoro` filled. One ONNX thread."""

    def __init__(self, home: Path) -> None:
        model = onnx.load(str(home / "model.onnx"))
        model.graph.output.append(onnx.helper.make_tensor_value_info(_DURATIONS_TENSOR, onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._vocabulary: dict[str, int] = json.loads((home / "vocab.json").read_text(encoding="utf-8"))
        self._styles = {
            path.stem: np.fromfile(path, dtype=np.float32).reshape(-1, 256)
            for path in sorted((home / "voices").glob("*.bin"))
        }

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(self._styles)

    def speak(self, text: str, language: str, voice: str, speed: float = 1.0) -> Speech:
        """Speak `text`. `voice` is one name or a blend `NAME*WEIGHT+NAME*WEIGHT`; `speed` about 0.8-1.25.

        Raises ValueError when the text has no speakable token or too many.
        """
        tokens = "".join(token for token in phonemize(text, language) if token in self._vocabulary)
        if not any(token not in _PUNCTUATION and token != " " for token in tokens):
            raise ValueError(f"nothing to speak in {text!r}")
        if len(tokens) > LONGEST_TOKEN_STRING:
            raise ValueError(f"{len(tokens)} tokens; at most {LONGEST_TOKEN_STRING}: split the text")
        numbers = np.array([[0, *(self._vocabulary[token] for token in tokens), 0]], dtype=np.int64)
        audio, durations = self._session.run(
            ["audio", _DURATIONS_TENSOR],
            {
                "tokens": numbers,
                "style": self._style(voice, len(tokens)),
                "speed": np.array([speed], dtype=np.float32),
            },
        )
        samples = np.ravel(audio).astype(np.float32)
        segments = segments_of(tokens, np.ravel(durations), language)
        return Speech(samples, fit_pauses(segments, samples, SAMPLE_RATE))

    def _style(self, voice: str, tokens: int) -> NDArray[np.float32]:
        style = np.zeros(256, np.float32)
        for part in voice.split("+"):
            name, _, weight = part.partition("*")
            if name not in self._styles:
                raise ValueError(f"unknown voice {name!r}; known: {', '.join(self._styles)}")
            table = self._styles[name]
            style += np.float32(weight or 1.0) * table[min(tokens, len(table)) - 1]
        return style[None]


def to_corpus_rate(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """24 kHz -> 16 kHz."""
    resampled: NDArray[np.float32] = soxr.resample(audio, SAMPLE_RATE, 16_000, quality="HQ")
    return resampled
