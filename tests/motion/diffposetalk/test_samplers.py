"""Samplers against a target whose every answer is known: data that are normal, mean 0.7 and deviation `spread`."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import InvalidValue, NotFound
from facestream.motion.diffposetalk.samplers.base import log_clarity, spaced_steps, steps_by_clarity
from facestream.motion.diffposetalk.samplers.dpm_solver import dpm_solver_along
from facestream.motion.diffposetalk.samplers.names import SAMPLERS, plan_named
from facestream.motion.diffposetalk.schedule import cosine_schedule

COSINE = cosine_schedule()
MEAN = 0.7
names = st.sampled_from(sorted(SAMPLERS))
counts = st.integers(1, 500)


def guess(x, step, spread):
    """The mean of the data given the noisy value: what a perfect network would say."""
    kept = COSINE.kept[step]
    gain = spread**2 * math.sqrt(kept) / (kept * spread**2 + 1 - kept)
    return MEAN + gain * (x - math.sqrt(kept) * MEAN)


def sampled(plan, x, spread, noise=None):
    earlier = np.zeros_like(x)
    for update in plan:
        clean = guess(x, update.step, spread)
        x = update.noisy * x + update.clean * clean + update.earlier * earlier
        if update.fresh:
            x = x + update.fresh * noise.standard_normal(x.shape)
        earlier = clean
    return x


def where_the_flow_leads(x, spread):
    """The exact solution of the differential equation that samplers without fresh noise follow."""
    kept = COSINE.kept[500]
    return MEAN + spread * (x - math.sqrt(kept) * MEAN) / math.sqrt(kept * spread**2 + 1 - kept)


def error(plan, spread=1.0):
    starts = np.linspace(-2.0, 2.0, 9)
    return np.abs(sampled(plan, starts, spread) - where_the_flow_leads(starts, spread)).max()


@settings(max_examples=40, deadline=None)
@given(names, counts)
def test_a_plan_has_so_many_evaluations_and_ends_with_the_guess(name, count):
    plan = plan_named(name, COSINE, count)
    steps = [update.step for update in plan]
    assert len(plan) == count
    assert steps[0] == 500
    assert all(later < step for step, later in pairwise(steps))
    assert steps[-1] >= 1
    assert plan[0].earlier == 0.0
    assert plan[-1][1:] == (0.0, pytest.approx(1.0, abs=1e-12), 0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(names, counts)
def test_signal_and_noise_of_every_step_are_those_of_the_schedule(name, count):
    # With a guess that is always right, what is left of it and how much noise surrounds it are known at every step.
    plan = plan_named(name, COSINE, count)
    for update, following in zip(plan, [*(u.step for u in plan[1:]), 0], strict=True):
        kept, kept_next = COSINE.kept[update.step], COSINE.kept[following]
        signal = update.noisy * math.sqrt(kept) + update.clean + update.earlier
        assert signal == pytest.approx(math.sqrt(kept_next), abs=1e-9)
        variance = update.noisy**2 * (1 - kept) + update.fresh**2
        assert variance == pytest.approx(1 - kept_next, abs=1e-9)


def test_all_steps_of_ancestral_sampling_are_the_published_ones():
    kept, beta = COSINE.kept, COSINE.beta
    plan = plan_named("ddpm", COSINE, 500)
    assert [update.step for update in plan] == list(range(500, 0, -1))
    for update in plan:
        t = update.step
        assert update.noisy == pytest.approx(math.sqrt(1 - beta[t]) * (1 - kept[t - 1]) / (1 - kept[t]), abs=1e-12)
        assert update.clean == pytest.approx(math.sqrt(kept[t - 1]) * beta[t] / (1 - kept[t]), abs=1e-12)
        assert update.fresh == pytest.approx(math.sqrt(beta[t] * (1 - kept[t - 1]) / (1 - kept[t])), abs=1e-12)
    assert plan[-1][1:] == (0.0, pytest.approx(1.0), 0.0, 0.0)


@pytest.mark.parametrize("spread", [0.3, 2.0])
def test_ancestral_sampling_draws_from_the_data(spread):
    noise = np.random.default_rng(0)
    plan = plan_named("ddpm", COSINE, 500)
    drawn = sampled(plan, noise.standard_normal(10_000), spread, noise)
    assert drawn.mean() == pytest.approx(MEAN, abs=0.03 * spread)
    assert drawn.std() == pytest.approx(spread, rel=0.03)
    # The control: a little less fresh noise, and the spread is off.
    less = tuple(update._replace(fresh=0.9 * update.fresh) for update in plan)
    assert abs(sampled(less, noise.standard_normal(10_000), spread, noise).std() / spread - 1) > 0.03


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("dpm-solver++", 2)])
def test_twice_the_steps_shrink_the_error_as_the_order_promises(name, order):
    fine, coarse = (error(plan_named(name, COSINE, count)) for count in (50, 25))
    assert coarse / fine == pytest.approx(2.0**order, rel=0.2)
    assert fine < 0.06


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("count", [6, 10, 25])
def test_the_second_order_is_worth_having_at_few_steps(count, spread):
    assert error(plan_named("dpm-solver++", COSINE, count), spread) < error(plan_named("ddim", COSINE, count), spread)


def moved(plan, share):
    """A plan whose second-order part is taken so many times."""
    return tuple(
        update._replace(clean=update.clean + (1 - share) * update.earlier, earlier=share * update.earlier)
        for update in plan
    )


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 2.0])
def test_another_coefficient_loses_the_second_order(share):
    plan = plan_named("dpm-solver++", COSINE, 50)
    assert error(moved(plan, 1.0)) == pytest.approx(error(plan))
    assert error(moved(plan, share)) > 5 * error(plan)


def test_another_coefficient_loses_the_first_order():
    plan = plan_named("ddim", COSINE, 50)
    wrong = tuple(update._replace(noisy=0.97 * update.noisy) for update in plan)
    assert error(wrong) > 5 * error(plan)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@pytest.mark.parametrize("count", [-1, 0, 501])
def test_steps_outside_1_to_500_are_refused(name, count):
    with pytest.raises(InvalidValue, match=f"steps: got {count}; allowed: 1 to 500"):
        plan_named(name, COSINE, count)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 25))
def test_clear_steps_are_evenly_clear_as_far_as_whole_steps_allow(count):
    steps = [step for step, _ in steps_by_clarity(COSINE, count)]
    assert len(steps) == count
    assert steps[0] == 500
    clarity = log_clarity(COSINE)
    wanted = np.linspace(clarity[steps[1] - 1], clarity[steps[-1] - 1], count - 1)
    for step, even in zip(steps[1:], wanted, strict=True):
        if step < 460:  # above, one step is a large stride
            room = clarity[step - 2] - clarity[min(step, 499)] if step > 1 else 1.0
            assert abs(clarity[step - 1] - even) <= abs(room) + 0.02


def of_two_kinds(plan, x, middle, spread):
    """Where a plan leads if data lie around `middle` and minus `middle`, half of them each."""
    earlier = np.zeros_like(x)
    for update in plan:
        kept = COSINE.kept[update.step]
        variance = kept * spread**2 + 1 - kept
        place = middle * np.tanh(math.sqrt(kept) * middle * x / variance)
        clean = place + math.sqrt(kept) * spread**2 / variance * (x - math.sqrt(kept) * place)
        x, earlier = update.noisy * x + update.clean * clean + update.earlier * earlier, clean
    return x


@pytest.mark.parametrize(("middle", "spread"), [(1.0, 0.05), (0.3, 0.05)])
def test_clear_steps_are_worth_having_where_noise_must_choose(middle, spread):
    starts = np.linspace(-2.0, 2.0, 41)
    led, clear, even = (
        of_two_kinds(plan, starts, middle, spread)
        for plan in (plan_named("dpm-solver++", COSINE, 500), plan_named("dpm-solver++", COSINE, 16),
                     dpm_solver_along(COSINE, spaced_steps(COSINE, 16)))
    )  # fmt: skip
    assert np.abs(clear - led).max() < 0.5 * np.abs(even - led).max()


def test_an_unknown_sampler_is_told_the_known_ones():
    with pytest.raises(NotFound, match="no sampler named 'euler'; there is: ddim, ddpm, dpm-solver"):
        plan_named("euler", COSINE, 10)
