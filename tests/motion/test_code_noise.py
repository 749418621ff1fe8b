import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.motion.code_noise import BOTTOM, TOP, emotion_draw, forced, gumbel

SEEDS = st.integers(0, 2**64 - 1)


def seeds(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


@given(SEEDS, SEEDS, st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 8))
def test_windows_that_overlap_draw_the_same_whoever_is_beside(
    seed: int, other: int, first: int, count: int, ahead: int
) -> None:
    alone = gumbel(seeds(seed), TOP, np.array([first]), count + ahead, 12)
    beside = gumbel(seeds(other, seed), TOP, np.array([3, first + ahead]), count, 12)
    np.testing.assert_array_equal(beside[1], alone[0, ahead:])


def test_levels_seeds_and_codes_draw_apart() -> None:
    top = gumbel(seeds(1, 2), TOP, np.array([0, 0]), 400, 8)
    bottom = gumbel(seeds(1), BOTTOM, np.array([0]), 400, 8)
    for one, two in ((top[0], top[1]), (top[0], bottom[0]), (top[0, :-1], top[0, 1:])):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.06


def test_the_largest_of_logits_and_noise_is_a_draw_from_their_softmax() -> None:
    logits = np.array([2.0, 1.0, 0.0, -1.0])
    for temperature in (0.5, 1.0, 2.0):
        noise = temperature * gumbel(seeds(7), BOTTOM, np.array([0]), 40_000, 4)[0]
        found = np.bincount((logits + noise).argmax(axis=1), minlength=4) / 40_000
        expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_forced_code_is_taken_whatever_the_logits() -> None:
    random = np.random.default_rng(0)
    chosen = random.integers(0, 30, (2, 5))
    logits = 100 * random.standard_normal((2, 5, 30)).astype(np.float32)
    np.testing.assert_array_equal((logits + forced(chosen, 30)).argmax(axis=2), chosen)
    assert (logits.argmax(axis=2) != chosen).any()


def test_an_emotion_is_drawn_once_for_a_seed_and_is_standard_normal() -> None:
    drawn = emotion_draw(seeds(*range(300)), 128)
    np.testing.assert_array_equal(drawn[17], emotion_draw(seeds(17), 128)[0])
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1.0) < 0.02
