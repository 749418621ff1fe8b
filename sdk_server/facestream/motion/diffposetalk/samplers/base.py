"""What a sampler is: a plan of linear updates that leads from noise to motion.

At a step t the network guesses the clean motion. A sampler says how to go on from there to the next, less noisy step,
and every sampler here does it by a weighted sum of four things. So a plan is a short table of numbers, made once, that
needs no torch; streams with different plans can share a batch.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from facestream.errors import InvalidValue
from facestream.motion.diffposetalk.schedule import Schedule


class Update(NamedTuple):
    """One evaluation at `step`, then: next = noisy * x + clean * guess + earlier * previous guess + fresh * z.

    x is the noisy motion at `step`, the guess is the network's clean motion there, z is normal noise that nothing else
    has used. The first update has no previous guess and the last leads to the clean motion.
    """

    step: int
    noisy: float
    clean: float
    earlier: float = 0.0
    fresh: float = 0.0


Plan = tuple[Update, ...]
Sampler = Callable[[Schedule, int], Plan]
"""Makes a plan of so many evaluations, 1..T."""


def spaced_steps(schedule: Schedule, count: int) -> list[tuple[int, int]]:
    """`count` pairs (step, next step), evenly spaced from T down to 0; every step of T..1 for `count` = T.

    An evaluation at step 1, where next to no noise is left, would be wasted: with a Gaussian for data the last
    stride then ruins the extrapolation of DPM-Solver++ (error at 10 evaluations 0.24 instead of 0.05).
    """
    if not 1 <= count <= schedule.steps:
        raise InvalidValue("steps", count, f"1 to {schedule.steps}")
    steps = [int(step) for step in np.rint(np.linspace(schedule.steps, 0, count + 1))]
    return list(pairwise(steps))
