"""Per-stream state of every kind, kept as rows of a few large arrays so that a batch is one gather and one scatter."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.engines.base import ROW

Column = tuple[tuple[int, ...], npt.DTypeLike]
"""Shape (without the row axis) and element type of a column."""

_SMALLEST = 8


class RowTable:
    """Rows of named columns. `allocate` and `release` may run while another thread works on other rows."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = {
            name: np.zeros((_SMALLEST, *shape), np.dtype(dtype)) for name, (shape, dtype) in columns.items()
        }
        self._free = list(range(_SMALLEST))[::-1]
        self._lock = threading.Lock()

    @property
    def capacity(self) -> int:
        return len(next(iter(self._columns.values())))

    @property
    def allocated_count(self) -> int:
        with self._lock:
            return self.capacity - len(self._free)

    def allocate(self, initial: Mapping[str, Any]) -> int:
        """A free row: zeros, except for the columns named in `initial`, and for `ROW` where there is one."""
        with self._lock:
            if not self._free:
                self._grow()
            row = self._free.pop()
            for name, column in self._columns.items():
                column[row] = row + 1 if name == ROW else initial.get(name, 0)
            return row

    def release(self, row: int) -> None:
        """Nobody uses the row any more; the next stream may get it."""
        with self._lock:
            self._free.append(row)

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
        old = self.capacity
        for name, column in self._columns.items():
            self._columns[name] = np.concatenate((column, np.zeros_like(column)))
        self._free = list(range(old, 2 * old))[::-1]
