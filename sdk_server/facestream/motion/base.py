"""What every model family tells the pipeline: which samples a step needs, and which moment its motion describes."""

from typing import Protocol


class Streamer(Protocol):
    """Timing of one model family. Positions are 16 kHz samples from the start of the stream's audio."""

    @property
    def hop_samples(self) -> int:
        """Samples that one hop takes: the unit of all work."""
        ...

    @property
    def motions_per_hop(self) -> int:
        """Motion rows that one hop gives, evenly spaced."""
        ...

    @property
    def lookahead_samples(self) -> int:
        """How far the audio of a hop reaches past the moment that its last motion row describes."""
        ...

    def hops_ready(self, sample_count: int) -> int:
        """Hops that can be computed from that many samples, counted from the first."""
        ...

    def samples_for(self, hop_count: int) -> int:
        """Samples that the first `hop_count` hops take; the inverse of `hops_ready`."""
        ...
