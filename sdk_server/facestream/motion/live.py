"""The `live` family: causal, a few motion rows a hop, every sample used once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveStreamer:
    """Hop `k` takes samples `hop * k` to `hop * (k + 1)`; its last motion row describes `hop * (k + 1) - lookahead`."""

    hop_samples: int
    lookahead_samples: int
    motions_per_hop: int = 1

    def hops_ready(self, sample_count: int) -> int:
        return sample_count // self.hop_samples

    def samples_for(self, hop_count: int) -> int:
        return hop_count * self.hop_samples
