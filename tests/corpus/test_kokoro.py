from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.kokoro import DURATION_UNIT, LABEL_DELAY, rewrite, segments_of
from facestream_models.corpus.phones import INDEX
from facestream_models.corpus.segments import Segment


def timed(segments: list[Segment]) -> list[tuple[str, int]]:
    """Phone and end, in duration units, with the label delay undone (the last end is not delayed)."""
    ends = [segment.end + LABEL_DELAY for segment in segments[:-1]] + [segments[-1].end]
    return [(segment.phone, round(end / DURATION_UNIT)) for segment, end in zip(segments, ends, strict=True)]


def test_stress_length_and_short_blanks_give_their_time_to_their_neighbours() -> None:
    # ends 4 each; "ˈ" 2 -> u; "ː" 3 -> u; blank 2 shared by u and m
    segments = segments_of("pˈuː m", np.array([4, 2, 2, 4, 3, 2, 2, 4.0]), "es")
    assert timed(segments) == [("_", 4), ("p", 6), ("u", 16), ("m", 19), ("_", 23)]


def test_a_long_blank_and_punctuation_are_pauses_and_neighbouring_pauses_join() -> None:
    segments = segments_of("a, b", np.array([4, 3, 2, 7, 3, 4.0]), "es")
    assert timed(segments) == [("_", 4), ("a", 7), ("_", 16), ("b", 19), ("_", 23)]


def test_letters_for_diphthongs_split_58_to_42() -> None:
    segments = segments_of("I", np.array([10, 10, 10.0]), "en-us")
    assert [segment.phone for segment in segments] == ["_", "a", "ɪ", "_"]
    assert segments[1].end - segments[1].start == pytest.approx(0.58 * 10 * DURATION_UNIT)


def test_american_r_coloured_vowels_are_one_phone() -> None:
    bird = segments_of("bˈɜɹd", np.array([4, 2, 1, 2, 2, 2, 4.0]), "en-us")
    assert [segment.phone for segment in bird] == ["_", "b", "ɚ", "d", "_"]
    assert bird[2].class_index == INDEX["RR"]
    around = segments_of("əɹWnd", np.array([4, 2, 2, 2, 2, 2, 4.0]), "en-us")
    assert [segment.phone for segment in around][1:3] == ["ə", "ɹ"]


def test_durations_must_match_the_tokens() -> None:
    with pytest.raises(ValueError, match="need 4 durations, got 3"):
        segments_of("ab", np.array([1, 2, 3.0]), "es")


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("pbaiuˈˌː,.  mʃɹəɜI"), st.integers(1, 9)), max_size=30),
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from(["en-us", "fr-fr"]),
)
def test_segments_are_contiguous_and_last_as_long_as_the_audio(
    drawn: list[tuple[str, int]], head: int, tail: int, language: str
) -> None:
    tokens = "".join(token for token, _ in drawn)
    durations = np.array([head, *(length for _, length in drawn), tail], dtype=np.float32)
    segments = segments_of(tokens, durations, language)
    assert segments[0].start == 0.0
    assert segments[-1].end == pytest.approx(float(durations.sum()) * DURATION_UNIT)
    for before, after in pairwise(segments):
        assert before.end == after.start
        assert before.end > before.start
        assert not before.phone == after.phone == "_"


def test_english_ipa_takes_the_letters_of_the_voices() -> None:
    assert rewrite("d^ʒˈɔ^ɪ hˈo^ʊm bˈɜːd", "en-us") == "ʤˈY hˈOm bˈɜɹd"
    assert rewrite("hˈə^ʊm", "en-gb") == "hˈQm"
    assert rewrite("pˈit^sːa", "it") == "pˈiʦːa"
