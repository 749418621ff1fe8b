"""The audio a client keeps, to be sent again when its stream breaks."""

from collections import deque
from collections.abc import Iterator


class AudioHistory:
    """The newest audio of a stream by sample position, at most `longest_samples` of it."""

    def __init__(self, bytes_per_sample: int, longest_samples: int) -> None:
        self._bytes_per_sample = bytes_per_sample
        self._longest_samples = longest_samples
        self._pieces: deque[tuple[int, bytes]] = deque()

    @property
    def first_sample(self) -> int:
        """Oldest sample held; 0 before anything was."""
        return self._pieces[0][0] if self._pieces else 0

    @property
    def end_sample(self) -> int:
        """Sample after the newest one held; 0 before anything was."""
        if not self._pieces:
            return 0
        first, data = self._pieces[-1]
        return first + len(data) // self._bytes_per_sample

    def add(self, first_sample: int, data: bytes) -> None:
        """Take over what was sent."""
        self._pieces.append((first_sample, data))
        self.forget_before(self.end_sample - self._longest_samples)

    def forget_before(self, sample: int) -> None:
        """Drop pieces that end at or before `sample`; the newest piece always stays."""
        while len(self._pieces) > 1 and self._pieces[1][0] <= sample:
            self._pieces.popleft()

    def since(self, sample: int) -> Iterator[tuple[int, bytes]]:
        """`(first sample, bytes)` of everything at or after `sample`."""
        for first, data in list(self._pieces):
            cut = max(0, sample - first)
            if cut * self._bytes_per_sample < len(data):
                yield first + cut, data[cut * self._bytes_per_sample :]
