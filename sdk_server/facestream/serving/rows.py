"""Per-stream state of every kind, kept as rows of a few large arrays so that a batch is one gather and one scatter."""

import heapq
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.engines.base import ROW

Column = tuple[tuple[int, ...], npt.DTypeLike]
"""Shape (without the row axis) and element type of a column."""

_SMALLEST = 8


class RowNumbers:
    """Who has which row: the lowest that is free goes to the next stream. From any thread."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._count = 0
        self._lock = threading.Lock()

    @property
    def taken_count(self) -> int:
        with self._lock:
            return self._count - len(self._free)

    def take(self) -> int:
        """A row that nobody has."""
        with self._lock:
            if self._free:
                return heapq.heappop(self._free)
            self._count += 1
            return self._count - 1

    def give_back(self, row: int) -> None:
        """Nobody uses the row any more; the next stream may get it."""
        with self._lock:
            heapq.heappush(self._free, row)


class RowTable:
    """Rows of named columns. `reset` may run while another thread works on other rows."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = {
            name: np.zeros((_SMALLEST, *shape), np.dtype(dtype)) for name, (shape, dtype) in columns.items()
        }
        self._lock = threading.Lock()

    @property
    def capacity(self) -> int:
        return len(next(iter(self._columns.values())))

    def reset(self, row: int, initial: Mapping[str, Any]) -> None:
        """The row begins anew: zeros, except for the columns named in `initial`, and for `ROW` where there is one.

        The table grows where it must.
        """
        with self._lock:
            while row >= self.capacity:
                self._grow()
            for name, column in self._columns.items():
                column[row] = row + 1 if name == ROW else initial.get(name, 0)

    def gather(self, names: Sequence[str], rows: npt.NDArray[np.intp]) -> dict[str, npt.NDArray[Any]]:
        """Copies `[B, ...]` of the named columns."""
        with self._lock:
            return {name: self._columns[name][rows] for name in names}

    def scatter(self, rows: npt.NDArray[np.intp], values: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write `[B, ...]` back; columns not named stay as they are."""
        with self._lock:
            for name, value in values.items():
                self._columns[name][rows] = value

    def _grow(self) -> None:
        for name, column in self._columns.items():
            self._columns[name] = np.concatenate((column, np.zeros_like(column)))
