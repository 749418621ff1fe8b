"""The 21 articulatory classes and the way from IPA symbols to them.

Every text-to-speech engine of the corpus writes its phones as IPA. A phone is a base symbol with optional
marks (stress, length, nasalisation, tone ...) that do not change its class; a diphthong or an r-coloured
vowel is one phone of two parts, an affricate one phone of one part. `parts_of` splits a phone into parts with
their class and their share of its duration, which is all the target rules need.

Classes: speech-motion-data specification, section 3. Merged classes: section 6.
"""

import unicodedata
from dataclasses import dataclass

CLASSES = (
    "sil", "PP", "FF", "TH", "DD", "KK", "SS", "CH", "RR", "NN", "LL",
    "aa", "ae", "E", "I", "@", "O", "U", "Y", "W", "HH",
)  # fmt: skip
INDEX = {name: number for number, name in enumerate(CLASSES)}
SILENCE = INDEX["sil"]
VOWELS = frozenset(INDEX[name] for name in ("aa", "ae", "E", "I", "@", "O", "U", "Y"))

MERGED_GROUPS = (
    ("sil",), ("PP",), ("FF",), ("TH", "DD", "NN", "LL"), ("KK", "HH"), ("SS",), ("CH",), ("RR",),
    ("aa",), ("ae", "E"), ("I",), ("@",), ("O",), ("U", "Y", "W"),
)  # fmt: skip
MERGED = tuple(next(number for number, group in enumerate(MERGED_GROUPS) if name in group) for name in CLASSES)
"""Class index -> one of the 14 merged classes that accuracy is measured on (section 6)."""

PAUSE_SYMBOL = "_"
"""What the `phones` of an utterance hold for a pause."""

_SYMBOLS_OF_CLASS = {
    "PP": "p b m ɓ ʙ",
    "FF": "f v β ʋ ɸ ɱ ⱱ",
    "TH": "θ ð",
    "DD": "t d ɾ ʈ ɖ ɽ r ɗ",
    "KK": "k g ɡ ŋ x χ q ɢ ɣ ɰ c ɟ ç ʝ ɴ ɠ",
    "SS": "s z ɕ ʑ ʦ ʣ ʨ ʥ",
    "CH": "ʃ ʒ ʂ ʐ ʧ ʤ ꭧ",
    "RR": "ɹ ʁ ɝ ɚ ɻ ʀ",
    "NN": "n ɲ ɳ",
    "LL": "l ʎ ɫ ɭ ɬ ɮ ʟ",
    "aa": "a ɑ ʌ ɐ",
    "ae": "æ",
    "E": "e ɛ",
    "I": "i ɪ j",
    "@": "ə ɨ ᵻ ᵊ ɜ ɘ ɤ",
    "O": "o ɔ ɒ",
    "U": "u ʊ ɯ ʉ ɵ",
    "Y": "y ø œ ʏ ɥ ɞ ɶ",
    "W": "w ʍ",
    "HH": "h ɦ ħ ʕ ʔ",
}
_CLASS_OF_SYMBOL = {symbol: INDEX[name] for name, symbols in _SYMBOLS_OF_CLASS.items() for symbol in symbols.split()}

# ɜ is the r-coloured vowel of "bird" in American speech and a plain central vowel elsewhere. ʌ ("number") is a
# stressed schwa in American speech: the CMU phone set, which the English evaluation labels and flite use, has one
# symbol for both. espeak-ng writes ɐ for the reduced vowel of the English article, and ᵻ for the one of "wanted" and
# "before", which is the ɪ of the CMU set.
_CLASS_BY_LANGUAGE = {
    ("en-us", "ɜ"): INDEX["RR"],
    ("en-us", "ʌ"): INDEX["@"],
    ("en-us", "ɐ"): INDEX["@"],
    ("en-us", "ᵻ"): INDEX["I"],
    ("en-gb", "ɐ"): INDEX["@"],
    ("en-gb", "ᵻ"): INDEX["I"],
}

_AFFRICATES = {
    "tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "tɕ": "ʨ", "dʑ": "ʥ", "ʈʂ": "ꭧ", "tʂ": "ꭧ",
    "ɖʐ": "ʤ", "dʐ": "ʤ", "pf": "f",
}  # fmt: skip

# Marks that leave the class alone: stress, length, tie bars, tone, aspiration, secondary articulation, quotes.
_MARKS = frozenset("ˈˌːˑ͡‿ʰʲˠˤʷᵝˀʼ˞‍^.'`\"-|↓→↗↘˥˦˧˨˩ˡⁿᵗ!?;,#~:%_0123456789")

_DIPHTHONG_SHARES = (0.58, 0.42)  # section 3


class UnknownPhoneError(ValueError):
    """A symbol that no class is known for."""


@dataclass(frozen=True)
class Part:
    """One articulatory part: `symbol` (bare IPA), `class_index` into CLASSES, `share` of the phone's duration."""

    symbol: str
    class_index: int
    share: float


def bare_symbols(phone: str) -> tuple[str, ...]:
    """The base symbols of one IPA phone, without marks and with affricates joined to one symbol."""
    # ç decomposes to c + cedilla, which would turn a fricative into a stop: keep it whole.
    kept = [
        character
        for character in unicodedata.normalize("NFD", phone.replace("ç", "\ue000"))
        if character not in _MARKS and not unicodedata.combining(character)
    ]
    bare = "".join(kept).replace("\ue000", "ç")
    for pair, single in _AFFRICATES.items():
        bare = bare.replace(pair, single)
    return tuple(bare)


def parts_of(phone: str, language: str = "") -> tuple[Part, ...]:
    """Split one IPA `phone` into its parts; shares sum to 1. An empty result means: marks only, no sound.

    `language` (an espeak-ng voice name such as "en-us") settles the symbols whose class depends on it.
    Raises UnknownPhoneError when a symbol has no class.
    """
    symbols = bare_symbols(phone)
    classes = []
    for symbol in symbols:
        number = _CLASS_BY_LANGUAGE.get((language, symbol), _CLASS_OF_SYMBOL.get(symbol))
        if number is None:
            raise UnknownPhoneError(
                f"phone {phone!r} (language {language or 'unknown'!r}) holds {symbol!r} (U+{ord(symbol):04X}), which "
                "has no articulatory class; known symbols are listed in facestream_models/corpus/phones.py"
            )
        classes.append(number)
    if not symbols:
        return ()
    shares = _DIPHTHONG_SHARES if len(symbols) == 2 else (1.0 / len(symbols),) * len(symbols)
    return tuple(Part(*part) for part in zip(symbols, classes, shares, strict=True))


def known_symbols() -> frozenset[str]:
    """Every bare symbol that has a class."""
    return frozenset(_CLASS_OF_SYMBOL)
