"""The phones of a written text, word by word, from the espeak-ng program (Debian package `espeak-ng`)."""

import re
import subprocess

from facestream_models.corpus.phones import Part, parts_of

_LANGUAGE_MARK = re.compile(r"\([a-z-]+\)")


def phone_words(text: str, language: str) -> list[tuple[tuple[Part, ...], ...]]:
    """Words of `text`, each a tuple of phones, each a tuple of parts. `language` is an espeak-ng voice name.

    Raises RuntimeError when espeak-ng is missing, UnknownPhoneError for a phone without a class.
    """
    try:
        spoken = subprocess.run(
            ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", language, "-b", "1", "--stdin"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError as error:
        raise RuntimeError("espeak-ng is not installed; `apt-get install espeak-ng` and try again") from error
    return words_of(spoken, language)


def words_of(ipa: str, language: str) -> list[tuple[tuple[Part, ...], ...]]:
    """IPA with `_` between phones and blanks between words -> words of phones of parts; empty ones are dropped."""
    words = []
    for word in _LANGUAGE_MARK.sub(" ", ipa).split():
        phones = tuple(parts for phone in word.split("_") if (parts := parts_of(phone, language)))
        if phones:
            words.append(phones)
    return words
