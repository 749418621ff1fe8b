"""How many streams a step of a model that works by windows has time for, measured before anyone waits."""

import statistics
import time
from collections.abc import Callable

from facestream.engines.base import CostTable, StepOutput
from facestream.motion.base import Rows
from facestream.types import Float32

MAX_ROWS = 16
"""Rows cost nearly the same alone as together, so a larger batch would only keep its first streams waiting."""
STEP_S = 0.12
"""A step should not take longer, whatever the network: the next hop comes after 0.16 s."""


def rows_in_time(
    step: Callable[[Float32, Rows], StepOutput],
    rows_of: Callable[[int], tuple[Float32, Rows]],
    costs: CostTable,
    *,
    most: int,
    runs: int,
) -> int:
    """How many rows, at most `most`, a step may have so that it takes no longer than `STEP_S`; at least one.

    `rows_of` gives samples and state of so many rows. Every count tried runs `runs` times, and `costs` learns it.
    """
    for row_count in (1, 4, MAX_ROWS):
        if row_count > most:
            break
        pcm, state = rows_of(row_count)
        seconds = []
        for _ in range(runs):
            begin = time.perf_counter()
            state = step(pcm, state).next_state
            seconds.append(time.perf_counter() - begin)
        costs.record(row_count, statistics.median(seconds))
        in_time = int(STEP_S * row_count / min(seconds))  # a busy moment at the start must not last for ever
        most = min(MAX_ROWS, max(row_count, in_time))
    return most
