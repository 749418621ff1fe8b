"""Who may come in. Load is shed here, before a stream begins, and never in the middle of one."""

import numpy as np
import numpy.typing as npt

from facestream.errors import Busy

_RETRY_S = 1.0

OpenStreams = npt.NDArray[np.int64]
"""How many are open `[S, 2]` of servers that share their limits: live ones, clips."""


def no_open_streams(server_count: int) -> OpenStreams:
    """Of servers where nobody is in yet."""
    return np.zeros((server_count, 2), np.int64)


class Admission:
    """Counts the open streams against their limits; clips have places of their own.

    Servers that share the limits write to a row of `open_streams` each, in memory that all of them see. Nobody holds
    that memory while it looks: where all let somebody in at the same moment, the limit is passed by as many less one.
    """

    def __init__(
        self, max_streams: int, max_clips: int, open_streams: OpenStreams | None = None, server: int = 0
    ) -> None:
        self._limits = (max_streams, max_clips)
        self._everywhere = no_open_streams(1) if open_streams is None else open_streams
        self._here = self._everywhere[server]
        self._here[:] = 0  # of one that died in this place

    @property
    def max_streams(self) -> int:
        """Most live streams at once."""
        return self._limits[0]

    @property
    def live_count(self) -> int:
        """Live streams open here."""
        return int(self._here[0])

    def enter(self, *, is_clip: bool) -> None:
        """Take a place, or raise `Busy` with the time after which trying again may help."""
        limit = self._limits[is_clip]
        if self._everywhere[:, int(is_clip)].sum() >= limit:
            kind = "clips" if is_clip else "live streams"
            raise Busy(f"all {limit} places for {kind} are taken; try again, or another server", _RETRY_S)
        self._here[int(is_clip)] += 1

    def leave(self, *, is_clip: bool) -> None:
        """Give a place back."""
        self._here[int(is_clip)] -= 1
