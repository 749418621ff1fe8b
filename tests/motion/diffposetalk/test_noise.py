import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.motion.diffposetalk.noise import CounterNoise

seeds = st.integers(0, 2**64 - 1)
frames = st.integers(0, 10**9)


@settings(max_examples=30, deadline=None)
@given(seeds, frames, st.integers(1, 99), st.integers(1, 500))
def test_a_frame_draws_the_same_whatever_window_it_is_in(seed, first, shift, step):
    noise = CounterNoise(seed)
    whole = noise.fresh(step, first, (100, 3))
    np.testing.assert_array_equal(noise.fresh(step, first + shift, (100 - shift, 3)), whole[shift:])
    np.testing.assert_array_equal(noise.start(first + shift, (1, 3)), noise.start(first, (100, 3))[shift : shift + 1])
    np.testing.assert_array_equal(CounterNoise(seed).fresh(step, first, (100, 2)), whole[:, :2])


@settings(max_examples=30, deadline=None)
@given(seeds, frames)
def test_seeds_steps_and_frames_draw_apart(seed, first):
    here = CounterNoise(seed).fresh(2, first, (20, 5))
    others = [
        CounterNoise((seed + shift) % 2**64).fresh(2 + step, first + later, (20, 5))
        for shift, step, later in [(1, 0, 0), (2, 0, 0), (0, 1, 0), (1, -1, 0), (2**64 - 1, 1, 0), (0, 0, 20)]
    ]
    for other in [*others, CounterNoise(seed).start(first, (20, 5))]:
        # of 100 numbers one may meet another by chance: float32 has few; a shared row would be five
        assert np.isin(here, other).sum() <= 2


def test_numbers_are_normal_and_independent():
    drawn = np.stack([CounterNoise(seed).fresh(step, 0, (100, 54)) for seed in range(6) for step in (1, 2, 500)])
    assert drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1.0, abs=0.01)
    assert (np.abs(drawn) > 1.96).mean() == pytest.approx(0.05, abs=0.003)
    steps = drawn.reshape(6, 3, -1)  # nor does a step use what made the one before
    assert abs(np.corrcoef(steps[:, 0].ravel(), steps[:, 1].ravel() ** 2)[0, 1]) < 0.02
    for axis in range(3):  # no neighbour follows another
        ahead, behind = np.moveaxis(drawn, axis, 0)[1:], np.moveaxis(drawn, axis, 0)[:-1]
        assert abs(np.corrcoef(ahead.ravel(), behind.ravel())[0, 1]) < 0.01


def test_every_window_of_a_clip_may_begin_alike():
    noise = CounterNoise(3, repeats=100)
    np.testing.assert_array_equal(noise.start(0, (100, 4)), noise.start(700, (100, 4)))
    assert not np.isin(noise.fresh(9, 0, (100, 4)), noise.fresh(9, 700, (100, 4))).any()
    assert not np.isin(CounterNoise(3).start(0, (100, 4)), CounterNoise(3).start(700, (100, 4))).any()


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_of_more_bits_is_refused(seed):
    with pytest.raises(InvalidValue, match="seed: got"):
        CounterNoise(seed)
