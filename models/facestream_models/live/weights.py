"""Weights of the `live` network as a training run leaves them."""

from pathlib import Path

import torch

from facestream_models.live.network import LiveNetwork, LiveShape
from facestream_models.training.config import from_values


def load_network(path: Path) -> LiveNetwork:
    """The averaged network of a run's `weights.pt`, ready to use."""
    stored = torch.load(path, weights_only=True)
    network = LiveNetwork(from_values(stored["facts"]["shape"], LiveShape))
    network.load_state_dict(stored["weights"])
    return network.eval()
