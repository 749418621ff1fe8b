"""What the synthetic voices say: public sentences, the project's own, and random strings of words.

Three sources, mixed per utterance: sentences of the Debian `fortunes*` packages (spoken only, never stored in the
repository), the word and sentence lists of `corpus/wordlists/LANGUAGE.txt`, and salads of those words, which over time
put every phone next to every other. Salads lean on words with lips in them: closures are what viewers notice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_WORDLISTS = Path(__file__).parent / "wordlists"
_FORTUNES = Path("/usr/share/games/fortunes")

_FORTUNE_FILES = {
    "en": [
        "art", "computers", "cookie", "education", "fortunes", "food", "humorists", "kids", "literature", "love",
        "magic", "medicine", "miscellaneous", "men-women", "news", "people", "pets", "platitudes", "politics",
        "science", "sports", "wisdom", "work", "definitions", "startrek",
    ],
    "es": ["es/*.fortunes"],
    "it": ["it/*"],
    "pt": ["brasil"],
    "de": ["de/*"],
    "ru": ["ru/*"],
}  # fmt: skip
_SENTENCE = re.compile(r"[^.!?…]+[.!?…]+")
_SPEAKABLE = re.compile(r"[\w\s,;:'’\-.!?¿¡…]+")
_WORD = re.compile(r"[^\W\d_]{2,14}")
_ATTRIBUTION = re.compile(r"^\s*(--|—|\*|\[|\()")

_WIDE_SALADS = 0.35


@dataclass(frozen=True)
class Wordlist:
    """The committed list of one language: whole `sentences`, `slots` of a command grammar, `words` for salads."""

    sentences: tuple[str, ...]
    grammars: tuple[tuple[tuple[str, ...], ...], ...]
    words: tuple[str, ...]


@cache
def wordlist(language: str) -> Wordlist:
    """Read `wordlists/LANGUAGE.txt`: lines `= sentence`, `| a b c / d e` (one slot per slash) and bare words."""
    path = _WORDLISTS / f"{language}.txt"
    if not path.is_file():
        return Wordlist((), (), ())
    sentences, grammars, words = [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            sentences.append(line[2:].strip())
        elif line.startswith("| "):
            slots = line[2:].split("/")
            grammars.append(tuple(tuple(choice.strip() for choice in slot.split(",")) for slot in slots))
        elif line and not line.startswith("#"):
            words.extend(line.split())
    return Wordlist(tuple(sentences), tuple(grammars), tuple(words))


@cache
def fortunes(language: str, shortest: int = 12, longest: int = 150) -> tuple[str, ...]:
    """Sentences of the installed `fortunes` packages, `shortest` to `longest` characters; empty when not installed."""
    found: dict[str, None] = {}
    for pattern in _FORTUNE_FILES.get(language, []):
        for path in sorted(_FORTUNES.glob(pattern)):
            if path.suffix in {".dat", ".u8"} or path.is_dir():
                continue
            for quote in path.read_text(encoding="utf-8", errors="replace").split("\n%"):
                lines = [line for line in quote.splitlines() if not _ATTRIBUTION.match(line)]
                flat = re.sub(r"\s+", " ", " ".join(lines))
                for sentence in _SENTENCE.findall(flat):
                    sentence = sentence.strip()
                    if shortest <= len(sentence) <= longest and _SPEAKABLE.fullmatch(sentence):
                        found[sentence] = None
    return tuple(found)


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """Every plain word of `fortunes(language)`, small letters, in order of first appearance."""
    words = (word for sentence in fortunes(language) for word in _WORD.findall(sentence.lower()))
    return tuple(dict.fromkeys(words))


def salad(words: Sequence[str], random: np.random.Generator) -> str:
    """Three to eight random words with an occasional comma."""
    chosen = [str(words[i]) for i in random.integers(0, len(words), int(random.integers(3, 9)))]
    spoken = [word + ("," if random.random() < 0.15 else "") for word in chosen]
    return " ".join(spoken).rstrip(",") + str(random.choice([".", ".", "?", "!"]))


def command(grammars: Sequence[Sequence[Sequence[str]]], random: np.random.Generator) -> str:
    """One short command from a random grammar: one choice of each slot."""
    grammar = grammars[int(random.integers(len(grammars)))]
    return " ".join(str(random.choice(list(slot))) for slot in grammar).strip() + "."


def text(language: str, random: np.random.Generator) -> str:
    """One text to be spoken in `language` (two letters). Raises ValueError when nothing is known for it."""
    own = wordlist(language)
    public = fortunes(language)
    sources = {
        "fortune": 0.45 if public else 0.0,
        "salad": 0.27 if own.words else 0.0,
        "command": 0.16 if own.grammars else 0.0,
        "sentence": 0.12 if own.sentences else 0.0,
    }
    total = sum(sources.values())
    if total == 0:
        raise ValueError(
            f"no text for language {language!r}: install its fortunes package or add wordlists/{language}.txt"
        )
    kind = random.choice(list(sources), p=[share / total for share in sources.values()])
    if kind == "fortune":
        return public[int(random.integers(len(public)))]
    if kind == "salad":
        return salad(own.words, random)
    if kind == "command":
        return command(own.grammars, random)
    return own.sentences[int(random.integers(len(own.sentences)))]


def wide_text(language: str, random: np.random.Generator) -> str:
    """A text that hardly ever comes twice: a public sentence, or a salad of the whole public vocabulary.

    A network that hears the same few thousand texts learns them by heart: `live` v1 heard .85 of the voices and texts
    of its training right, .72 of the same voices with other texts, .74 of other voices (2026-11-21).
    Raises ValueError when no fortunes of `language` are installed.
    """
    public = fortunes(language)
    if not public:
        raise ValueError(f"no public sentences for language {language!r}: install its fortunes package")
    if random.random() < _WIDE_SALADS:
        return salad(vocabulary(language), random)
    return public[int(random.integers(len(public)))]
