"""The `live` family: causal, one motion row per 20 ms hop, every sample used once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveStreamer:
    """Hop `k` takes samples `hop * k` to `hop * (k + 1)` and describes the moment `hop * (k + 1) - lookahead`."""

    hop_samples: int
    lookahead_samples: int

    def hops_ready(self, sample_count: int) -> int:
        return sample_count // self.hop_samples

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples
