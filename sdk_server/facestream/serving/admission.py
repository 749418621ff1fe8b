"""Who may come in. Load is shed here, before a stream begins, and never in the middle of one."""

from facestream.errors import Busy

_RETRY_S = 1.0


class Admission:
    """Counts the open streams against their limits; clips have places of their own."""

    def __init__(self, max_streams: int, max_clips: int) -> None:
        self._limits = {False: max_streams, True: max_clips}
        self._counts = {False: 0, True: 0}

    @property
    def max_streams(self) -> int:
        """Most live streams at once."""
        return self._limits[False]

    @property
    def live_count(self) -> int:
        """Open live streams."""
        return self._counts[False]

    def enter(self, *, is_clip: bool) -> None:
        """Take a place, or raise `Busy` with the time after which trying again may help."""
        limit = self._limits[is_clip]
        if self._counts[is_clip] >= limit:
            kind = "clips" if is_clip else "live streams"
            raise Busy(f"all {limit} places for {kind} are taken; try again, or another server", _RETRY_S)
        self._counts[is_clip] += 1

    def leave(self, *, is_clip: bool) -> None:
        """Give a place back."""
        self._counts[is_clip] -= 1
