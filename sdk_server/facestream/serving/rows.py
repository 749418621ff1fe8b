"""Per-stream state of every kind, kept as rows of a few large arrays so that a batch is one gather and one scatter."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

Column = tuple[tuple[int, ...], npt.DTypeLike]
"""Shape (without the row axis) and element type of a column."""

_SMALLEST = 8


class RowTable:
    """Rows of named columns. `allocate` and `release` may run while another thread works on other rows.

    A row released while it is in use (its stream was closed in the middle of a step) is handed out again only after
    that step, so a new stream never meets the state of an old one.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = {
            name: np.zeros((_SMALLEST, *shape), np.dtype(dtype)) for name, (shape, dtype) in columns.items()
        }
        self._free = list(range(_SMALLEST))[::-1]
        self._in_use: set[int] = set()
        self._released_in_use: set[int] = set()
        self._lock = threading.Lock()

    @property
    def capacity(self) -> int:
        return len(next(iter(self._columns.values())))

    @property
    def allocated_count(self) -> int:
        with self._lock:
            return self.capacity - len(self._free) - len(self._released_in_use)

    def allocate(self, initial: Mapping[str, Any]) -> int:
        """A free row: zeros, except for the columns named in `initial`."""
        with self._lock:
            if not self._free:
                self._grow()
            row = self._free.pop()
            for name, column in self._columns.items():
                column[row] = initial.get(name, 0)
            return row

    def release(self, row: int) -> None:
        with self._lock:
            if row in self._in_use:
                self._released_in_use.add(row)
            else:
                self._free.append(row)

    @contextmanager
    def using(self, rows: Sequence[int]) -> Iterator[None]:
        """Within this block the rows stay with their streams, even when those are closed."""
        with self._lock:
            self._in_use.update(rows)
        try:
            yield
        finally:
            with self._lock:
                self._in_use.difference_update(rows)
                self._free.extend(self._released_in_use)
                self._released_in_use.clear()

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
