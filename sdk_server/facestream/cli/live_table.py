"""The table that moves while a stream runs: frames, lag, and the mouth as meters."""

from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from facestream.cli.live_session import LiveTake
from facestream.curves import INDEX

METERS = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "eyeBlinkLeft")
LAG_WINDOW = 60
"""Frames whose lag is shown: about the last two seconds."""


class LiveTable:
    """Use with `with`; call `update` after each run of frames."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._live = Live(console=console, refresh_per_second=12, transient=not console.is_terminal)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def update(self, take: LiveTake) -> None:
        self._live.update(self._table(take))

    def _table(self, take: LiveTake) -> Table:
        newest = take.runs[-1]
        clock = take.info.clock
        first = max(0, len(take.runs) - LAG_WINDOW)
        recent = LiveTake(take.info, take.runs[first:], take.arrivals_s[first:])
        table = Table(title=self._title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_row("frames", f"{newest.end_index}  ({float(clock.time_of(newest.end_index)):.1f} s)")
        table.add_row("lag behind audio", f"{float(np.median(recent.lags_ms())):.0f} ms")
        for name in METERS:
            table.add_row(name, ProgressBar(total=1.0, completed=float(newest.weights[-1, INDEX[name]]), width=40))
        return table
