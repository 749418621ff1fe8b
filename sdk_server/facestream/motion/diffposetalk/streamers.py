"""When the samples of a diffposetalk step are there: live by hops, recordings by windows behind a short first one.

Positions alone decide where hops and windows lie, so that frames never depend on how the audio came.
"""

from dataclasses import dataclass

from facestream.motion.base import WholePart


@dataclass(frozen=True, slots=True)
class HopStreamer:
    """A hop is a few frames. Its step reads `context_samples` before it and waits for `ahead_samples` behind it.

    A frame describes the moment `lookahead_samples` before the end of its 40 ms.
    """

    hop_samples: int
    motions_per_hop: int
    lookahead_samples: int
    context_samples: int
    ahead_samples: int

    def hops_ready(self, sample_count: int) -> int:
        return max((sample_count - self.ahead_samples) // self.hop_samples, 0)

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples + self.ahead_samples

    def first_sample_for(self, hop: int) -> int:
        return hop * self.hop_samples - self.context_samples


@dataclass(frozen=True, slots=True)
class ClipStreamer:
    """A recording is made in windows of `window_hops`, each with a hop more that the next one makes again.

    The first window is `first_hops` long, so that its frames are there soon. `context_hops` before a window are heard.
    """

    hop_samples: int
    motions_per_hop: int
    lookahead_samples: int
    first_hops: int
    window_hops: int
    context_hops: int

    @property
    def ahead_samples(self) -> int:
        """A window may have to be there to its last sample."""
        return (self.window_hops + 1) * self.hop_samples

    def hops_ready(self, sample_count: int) -> int:
        return sample_count // self.hop_samples

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples

    def first_sample_for(self, hop: int) -> int:
        return max(hop - self.context_hops, 0) * self.hop_samples

    def next_part(self, hops_done: int, stop: int | None, hop_count: int | None) -> WholePart:
        """What follows on `hops_done`: up to the end of its window, or `stop`, where a change of the acting waits.

        `hop_count` are all hops there will be, `None` before the end of the audio. A window is cut alike either way:
        frames follow the end of the audio, so there are more hops than samples have come for.
        """
        windows_done = (hops_done - self.first_hops) // self.window_hops + 1  # the first is no longer than the others
        end = self.first_hops + windows_done * self.window_hops
        reads_to = end + 1
        if hop_count is not None and hop_count <= reads_to:
            reads_to = end = hop_count
        reads_from = max(hops_done - self.context_hops, 0)
        return WholePart(hops_done, end if stop is None else min(end, stop), reads_from, reads_to)
