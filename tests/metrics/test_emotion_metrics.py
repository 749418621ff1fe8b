import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.metrics.code_use import code_use
from facestream_models.metrics.emotion_retrieval import retrieval
from facestream_models.metrics.emotion_shown import (
    emotion_accuracy,
    emotion_counts,
    emotion_recalls,
    emotion_shown,
)

EMOTIONS = 8
seeds = st.integers(0, 2**32 - 1)


def labels_of_each(count, random):
    return random.permutation(np.repeat(np.arange(EMOTIONS), count))


def drawn_rank1(similarity, queries, items, excluded, random, rounds=2000):
    """The same by drawing galleries, one item of each emotion."""
    right = 0
    for _ in range(rounds):
        query = random.integers(len(queries))
        met = ~excluded[query]
        gallery = [random.choice(np.flatnonzero((items == number) & met)) for number in range(EMOTIONS)]
        right += int(np.argmax(similarity[query, gallery]) == queries[query])
    return right / rounds


def test_the_expectation_is_that_of_drawn_galleries():
    random = np.random.default_rng(4)
    queries, items = labels_of_each(3, random), labels_of_each(4, random)
    similarity = random.normal(size=(24, 32)) + 1.3 * (queries[:, None] == items[None])
    excluded = random.random((24, 32)) < 0.1
    found = retrieval(similarity, queries, items, EMOTIONS, excluded)
    drawn = drawn_rank1(similarity, queries, items, excluded, random)
    assert 0.3 < drawn < 0.9
    assert found.rank1 == pytest.approx(drawn, abs=0.04)
    assert found.by_emotion.mean() == pytest.approx(found.rank1)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_retrieval_asks_only_for_order(seed):
    random = np.random.default_rng(seed)
    queries, items = labels_of_each(2, random), labels_of_each(3, random)
    similarity = random.normal(size=(16, 24))
    found = retrieval(similarity, queries, items, EMOTIONS)
    assert retrieval(np.exp(2.0 * similarity), queries, items, EMOTIONS).rank1 == pytest.approx(found.rank1)
    right = (queries[:, None] == items[None]).astype(float)
    assert retrieval(similarity * 0.01 + right, queries, items, EMOTIONS).rank1 == 1.0
    assert retrieval(similarity * 0.01 - right, queries, items, EMOTIONS).rank1 == 0.0


def test_retrieval_without_knowledge_is_at_chance():
    random = np.random.default_rng(0)
    queries, items = labels_of_each(40, random), labels_of_each(40, random)
    similarity = random.normal(size=(320, 320)) + 5.0 * (queries[:, None] == items[None])
    assert retrieval(similarity, queries, items, EMOTIONS).rank1 > 0.99
    blind = retrieval(similarity, random.permutation(queries), items, EMOTIONS)
    assert blind.rank1 == pytest.approx(blind.chance, abs=0.07)
    assert blind.chance == 1 / 8


def test_a_query_that_finds_only_its_own_clip_finds_nothing():
    own = np.eye(16)
    emotions = np.tile(np.arange(EMOTIONS), 2)
    assert retrieval(own, emotions, emotions, EMOTIONS).rank1 > 0.5
    assert retrieval(own, emotions, emotions, EMOTIONS, own > 0).rank1 == pytest.approx(0.5**7)


def test_a_gallery_without_an_emotion_is_refused():
    with pytest.raises(ValueError, match="emotion 7"):
        retrieval(np.ones((2, 7)), np.zeros(2, int), np.arange(7), EMOTIONS)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_accuracy_counts_every_emotion_alike(seed):
    random = np.random.default_rng(seed)
    true = np.concatenate([np.zeros(200, int), random.integers(0, EMOTIONS, 80), np.arange(EMOTIONS)])
    assert emotion_accuracy(emotion_counts(true, true, EMOTIONS)) == 1.0
    # most clips are of emotion 0: saying so always is right for most, and for one emotion of eight
    assert emotion_accuracy(emotion_counts(np.zeros_like(true), true, EMOTIONS)) == pytest.approx(1 / EMOTIONS)
    assert (emotion_counts(true, true, EMOTIONS).sum(axis=1) == np.bincount(true)).all()


def test_an_emotion_without_clips_has_no_recall():
    recalls = emotion_recalls(emotion_counts(np.array([0, 2]), np.array([0, 1]), 3))
    assert recalls[:2].tolist() == [1.0, 0.0]
    assert np.isnan(recalls[2])


def test_a_clip_shows_what_its_frames_show_most():
    random = np.random.default_rng(1)
    logits = random.normal(size=(50, EMOTIONS))
    logits[:, 5] += 2.0
    assert emotion_shown(logits) == 5
    assert emotion_shown(random.permutation(logits, axis=0)) == 5
    assert emotion_shown(logits - 2.0 * (np.arange(EMOTIONS) == 5)) == int(
        np.argmax(logits.mean(axis=0) - 2.0 * (np.arange(EMOTIONS) == 5))
    )


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 40))
def test_perplexity_lies_between_one_and_the_codes_in_use(seed, size):
    codes = np.random.default_rng(seed).integers(0, size, (5, 7))
    found = code_use(codes, size)
    assert 1.0 - 1e-9 <= found.perplexity <= found.used + 1e-9 <= size + 1e-9
    assert code_use(np.arange(size), size).perplexity == pytest.approx(size)
    assert code_use(np.full(9, size - 1), size) == pytest.approx((1.0, 1, size))
    renamed = np.random.default_rng(seed).permutation(size)[codes]
    assert code_use(renamed, size).perplexity == pytest.approx(found.perplexity)


@pytest.mark.parametrize("codes", [np.array([], int), np.array([4]), np.array([-1])])
def test_codes_outside_of_the_book_are_refused(codes):
    with pytest.raises(ValueError, match=r"0\.\.3"):
        code_use(codes, 4)
