"""When the samples of a deeptalk step are there: live by windows, recordings by parts as long as the network reaches.

Positions alone decide where windows and parts lie, so that frames never depend on how the audio came.
"""

from dataclasses import dataclass

from facestream.engines.facts import FRAMES_PER_CODE, ROWS_PER_CODE
from facestream.motion.base import WholePart


@dataclass(frozen=True, slots=True)
class WindowStreamer:
    """A hop is one code. Its step reads `past_codes` before it and waits for `ahead_codes` behind it."""

    hop_samples: int
    past_codes: int
    ahead_codes: int
    motions_per_hop: int = ROWS_PER_CODE

    @property
    def lookahead_samples(self) -> int:
        """The last row is at the last frame, which describes the beginning of its quarter of the code."""
        return self.hop_samples // FRAMES_PER_CODE

    @property
    def ahead_samples(self) -> int:
        return self.ahead_codes * self.hop_samples

    def hops_ready(self, sample_count: int) -> int:
        return max(sample_count // self.hop_samples - self.ahead_codes, 0)

    def samples_for(self, hop_count: int) -> int:
        return (hop_count + self.ahead_codes) * self.hop_samples

    def first_sample_for(self, hop: int) -> int:
        return (hop - self.past_codes) * self.hop_samples


@dataclass(frozen=True, slots=True)
class WholeStreamer:
    """A recording of up to `longest_codes` is one part. A longer one is cut; parts share `shared_codes` twice over."""

    hop_samples: int
    longest_codes: int
    shared_codes: int
    motions_per_hop: int = ROWS_PER_CODE

    @property
    def lookahead_samples(self) -> int:
        return self.hop_samples // FRAMES_PER_CODE

    @property
    def ahead_samples(self) -> int:
        """A part may have to be there to its last sample."""
        return self.longest_codes * self.hop_samples

    def hops_ready(self, sample_count: int) -> int:
        return sample_count // self.hop_samples

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples

    def first_sample_for(self, hop: int) -> int:
        return max(hop - self.shared_codes, 0) * self.hop_samples

    def next_part(self, hops_done: int, stop: int | None, hop_count: int | None) -> WholePart:
        """What follows on `hops_done`: up to `stop`, where a change of the acting waits, or as far as a part goes.

        `hop_count` are all hops there will be, `None` before the end of the audio. A part is cut alike either way:
        frames follow the end of the audio, so there are more hops than samples have come for.
        """
        reads_from = max(hops_done - self.shared_codes, 0)
        reads_to = reads_from + self.longest_codes
        end = reads_to - self.shared_codes
        if hop_count is not None and hop_count <= reads_to:
            reads_to = end = hop_count
        return WholePart(hops_done, end if stop is None else min(end, stop), reads_from, reads_to)
