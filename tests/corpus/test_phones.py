import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import facestream_models.corpus.kokoro as kokoro
from facestream_models.corpus.flite import CMU_TO_IPA
from facestream_models.corpus.phones import (
    CLASSES,
    INDEX,
    MERGED,
    MERGED_GROUPS,
    UnknownPhoneError,
    bare_symbols,
    known_symbols,
    parts_of,
)


def test_classes_are_those_of_the_specification_in_order() -> None:
    assert CLASSES[0] == "sil"
    assert len(CLASSES) == len(set(CLASSES)) == 21
    assert [CLASSES[INDEX[name]] for name in CLASSES] == list(CLASSES)


def test_merged_classes_partition_the_classes() -> None:
    assert sorted(name for group in MERGED_GROUPS for name in group) == sorted(CLASSES)
    assert len(MERGED_GROUPS) == 14
    assert MERGED[INDEX["TH"]] == MERGED[INDEX["LL"]] != MERGED[INDEX["SS"]]


@pytest.mark.parametrize(
    ("phone", "language", "names"),
    [
        ("aɪ", "en-us", ["aa", "I"]),
        ("o‍ʊ", "en-us", ["O", "U"]),
        ("t‍ʃ", "en-us", ["CH"]),
        ("dʒː", "it", ["CH"]),
        ("ts", "it", ["SS"]),
        ("ˈɜː", "en-us", ["RR"]),
        ("ˈɜː", "en-gb", ["@"]),
        ("ᵻ", "en-us", ["I"]),
        ("ᵻ", "ru", ["@"]),
        ("ç", "de", ["KK"]),
        ("ɑ̃", "fr-fr", ["aa"]),
        ("mʲ", "ru", ["PP"]),
        ("β", "es", ["FF"]),
        ("ˈ", "es", []),
    ],
)
def test_known_phones(phone: str, language: str, names: list[str]) -> None:
    assert [CLASSES[part.class_index] for part in parts_of(phone, language)] == names


@given(st.lists(st.sampled_from(sorted(known_symbols())), min_size=1, max_size=3), st.sampled_from(["", "ˈ", "ː", "̃"]))
def test_shares_sum_to_one_and_marks_change_nothing(symbols: list[str], mark: str) -> None:
    plain = parts_of("".join(symbols))
    assert sum(part.share for part in plain) == pytest.approx(1.0)
    assert parts_of("".join(symbols) + mark) == plain


def test_a_diphthong_splits_58_to_42() -> None:
    assert [part.share for part in parts_of("aʊ")] == [0.58, 0.42]


@given(st.characters(categories=["Lu", "Nl", "So"]))
def test_an_unknown_symbol_is_named(symbol: str) -> None:
    if bare_symbols(symbol) and symbol not in known_symbols():
        with pytest.raises(UnknownPhoneError, match=re.escape(f"{ord(bare_symbols(symbol)[-1]):04X}")):
            parts_of(symbol)


def test_every_flite_phone_has_a_class() -> None:
    for phone, ipa in CMU_TO_IPA.items():
        assert bool(parts_of(ipa, "en-us")) == (phone not in {"pau", "ssil", "brth"})


def test_every_letter_of_the_neural_voices_has_a_class_or_is_an_auxiliary_token() -> None:
    vocabulary = json.loads((Path(__file__).parent / "kokoro_vocabulary.json").read_text(encoding="utf-8"))
    auxiliary = kokoro._STRESS | kokoro._TRAILING_MARKS | kokoro._PUNCTUATION | {" ", '"'}
    for token in set(vocabulary) - auxiliary:
        for language in ("en-us", "fr-fr"):
            assert kokoro._parts(token, language), token
