"""DPM-Solver++ 2M (Lu et al. 2022, algorithm 2): second order from one evaluation a step and the guess before it."""

import math
from collections.abc import Sequence

from facestream.motion.diffposetalk.samplers.base import Plan, Update, steps_by_clarity
from facestream.motion.diffposetalk.schedule import Schedule


def dpm_solver_2m(schedule: Schedule, count: int) -> Plan:
    """The first and the last update are of first order: one has no earlier guess, the other leads to no noise at all.

    Time is the logarithm of signal over noise; between two steps the guess is taken to change linearly in it.
    """
    return dpm_solver_along(schedule, steps_by_clarity(schedule, count))


def dpm_solver_along(schedule: Schedule, strides: Sequence[tuple[int, int]]) -> Plan:
    """The same along chosen strides, from T to 0, each given by its two steps."""
    plan: list[Update] = []
    stride_before = 0.0
    for step, following in strides:
        shrink = schedule.noise(following) / schedule.noise(step)
        guess = schedule.signal(following) - shrink * schedule.signal(step)
        if following == 0:
            plan.append(Update(step, noisy=shrink, clean=guess))
            continue
        stride = _log_ratio(schedule, following) - _log_ratio(schedule, step)
        beyond = stride / (2.0 * stride_before) if plan else 0.0
        plan.append(Update(step, noisy=shrink, clean=guess * (1.0 + beyond), earlier=-guess * beyond))
        stride_before = stride
    return tuple(plan)


def _log_ratio(schedule: Schedule, step: int) -> float:
    return math.log(schedule.signal(step) / schedule.noise(step))
