from pathlib import Path

import numpy as np
import pytest

from facestream_models.corpus import texts

SPOKEN = ("en", "es", "it", "fr", "pt", "de", "ru")


@pytest.mark.parametrize("language", SPOKEN)
def test_every_language_has_something_to_say(language: str) -> None:
    random = np.random.default_rng(5)
    drawn = [texts.text(language, random) for _ in range(50)]
    assert all(2 <= len(text) <= 160 for text in drawn)
    assert len(set(drawn)) >= 3


def test_the_same_generator_gives_the_same_text() -> None:
    assert texts.text("en", np.random.default_rng(3)) == texts.text("en", np.random.default_rng(3))


def test_a_language_without_text_is_named() -> None:
    with pytest.raises(ValueError, match="'xx'"):
        texts.text("xx", np.random.default_rng(0))


def test_english_words_lean_on_lips() -> None:
    words = texts.wordlist("en").words
    assert len(words) > 400
    assert sum(any(letter in word for letter in "pbmfvw") for word in words) > len(words) / 2


def test_wide_texts_draw_on_the_whole_public_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = "abcdefghij"
    sentences = [f"Word{a}{b} follows other{b}{a}." for a in letters for b in letters]
    (tmp_path / "art").write_text("\n%\n".join(sentences))
    monkeypatch.setattr(texts, "_FORTUNES", tmp_path)
    caches = (texts.fortunes, texts.vocabulary)
    for cached in caches:
        cached.cache_clear()
    try:
        random = np.random.default_rng(4)
        drawn = [texts.wide_text("en", random) for _ in range(300)]
        assert set(drawn) & set(sentences)
        others = set(drawn) - set(sentences)
        assert len(others) > 50
        spoken = {word.strip(",.?!") for text in others for word in text.split()}
        assert len(spoken) > 100
        assert spoken <= set(texts.vocabulary("en"))
        with pytest.raises(ValueError, match="'fr'"):
            texts.wide_text("fr", random)
    finally:
        for cached in caches:
            cached.cache_clear()
