from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.phones import CLASSES, INDEX, known_symbols, parts_of
from facestream_models.teacher.align import FRAME_SECONDS, Word, align


def log_probabilities(path: list[int], confidence: float = 0.9) -> np.ndarray:
    rows = np.full((len(path), len(CLASSES)), (1 - confidence) / (len(CLASSES) - 1))
    rows[np.arange(len(path)), path] = confidence
    return np.log(rows).astype(np.float32)


def word(*phones: str, earliest: float = 0.0, latest: float = float("inf")) -> Word:
    return Word(tuple(parts_of(phone) for phone in phones), earliest, latest)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(known_symbols())), st.integers(2, 12), st.integers(0, 1), st.integers(4, 15)),
        min_size=1,
        max_size=12,
    )
)
def test_a_clear_path_is_found_again(drawn: list[tuple[str, int, int, int]]) -> None:
    """Every phone is a word; some are followed by a pause. Equal neighbours may share their time in any way."""
    path: list[int] = []
    for symbol, frames, has_pause, pause_frames in drawn:
        path += [parts_of(symbol)[0].class_index] * frames
        if has_pause:
            path += [0] * pause_frames
    duration = len(path) * FRAME_SECONDS
    found = align(log_probabilities(path), [word(symbol) for symbol, *_ in drawn], duration)
    assert found.segments[0].start == 0.0
    assert found.segments[-1].end == duration
    assert all(before.end == after.start for before, after in pairwise(found.segments))
    assert [s.phone for s in found.segments if s.phone != "_"] == [symbol for symbol, *_ in drawn]
    frames_found = np.concatenate([[s.class_index] * round((s.end - s.start) / FRAME_SECONDS) for s in found.segments])
    np.testing.assert_array_equal(frames_found, path)
    assert found.score == pytest.approx(np.log(0.9), abs=1e-4)


def test_word_times_choose_between_two_places() -> None:
    p, a = INDEX["PP"], INDEX["aa"]
    path = [0] * 10 + [p] * 5 + [a] * 10 + [0] * 10 + [p] * 5 + [a] * 10 + [0] * 10
    free = align(log_probabilities(path), [word("p", "a")], 1.2)
    late = align(log_probabilities(path), [word("p", "a", earliest=0.65, latest=1.05)], 1.2)
    start = next(s.start for s in late.segments if s.phone == "p")
    assert start == pytest.approx(0.70)
    assert next(s.start for s in free.segments if s.phone == "p") != start


def test_a_wrong_text_scores_worse_than_the_right_one() -> None:
    path = [INDEX["PP"]] * 5 + [INDEX["aa"]] * 10 + [INDEX["SS"]] * 8
    right = align(log_probabilities(path), [word("p", "a", "s")], 0.46)
    wrong = align(log_probabilities(path), [word("k", "u", "m")], 0.46)
    assert wrong.score < right.score - 2


def test_too_little_audio_and_empty_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        align(log_probabilities([1, 1, 1]), [word("p", "a", "p", "a")], 0.06)
    with pytest.raises(ValueError, match="no phone"):
        align(log_probabilities([0] * 10), [], 0.2)
