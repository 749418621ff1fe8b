"""Ancestral sampling (DDPM; Ho, Jain, Abbeel 2020) with the fixed small variance: the reference of all others."""

import math

from facestream.motion.diffposetalk.samplers.base import Plan, Update, spaced_steps
from facestream.motion.diffposetalk.schedule import Schedule


def ancestral(schedule: Schedule, count: int) -> Plan:
    """Each step draws from the Gaussian between the noisy motion and the guess; fresh noise at all but the last.

    With fewer than T evaluations the same Gaussian is taken over the larger stride.
    """
    return tuple(_update(schedule, step, following) for step, following in spaced_steps(schedule, count))


def _update(schedule: Schedule, step: int, following: int) -> Update:
    kept, kept_next = float(schedule.kept[step]), float(schedule.kept[following])
    stride = kept / kept_next
    if following == step - 1:
        # One stored ratio instead of a quotient of two products, which loses digits where little is left.
        stride = 1.0 - float(schedule.beta[step])
    return Update(
        step,
        noisy=math.sqrt(stride) * (1.0 - kept_next) / (1.0 - kept),
        clean=math.sqrt(kept_next) * (1.0 - stride) / (1.0 - kept),
        fresh=math.sqrt((1.0 - stride) * (1.0 - kept_next) / (1.0 - kept)),
    )
