"""What a step will take: as long as nine in ten of the last ones of its size, and before there were any, what warm-up
measured of the engine alone.
"""

from collections import deque
from collections.abc import Callable

_REMEMBERED = 32
"""Steps of a size: a second's worth of live ones. What the machine was busy with before is forgotten."""
_QUANTILE = 0.9


class StepCosts:
    """Seconds by hops and by the bucket of rows: up to 1, 2, 4, 8 ..."""

    def __init__(self, one_hop_s: Callable[[int], float]) -> None:
        """`one_hop_s` gives the seconds of a one-hop step for a number of rows, 0 where that is not known."""
        self._one_hop_s = one_hop_s
        self._seen: dict[tuple[int, int], deque[float]] = {}

    def predict_s(self, row_count: int, hop_count: int) -> float:
        """0 where nothing is known."""
        seen = self._seen.get(_size(row_count, hop_count))
        if seen is None:
            return hop_count * self._one_hop_s(row_count)
        return sorted(seen)[int(_QUANTILE * len(seen))]

    def observe(self, row_count: int, hop_count: int, seconds: float) -> None:
        """A step has taken so long."""
        self._seen.setdefault(_size(row_count, hop_count), deque(maxlen=_REMEMBERED)).append(seconds)


def _size(row_count: int, hop_count: int) -> tuple[int, int]:
    return (row_count - 1).bit_length(), hop_count
