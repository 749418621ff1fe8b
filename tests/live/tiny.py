"""A seeded network of the shipped shape in miniature."""

import torch

from facestream_models.live.network import LiveNetwork, LiveShape

TINY = LiveShape(
    bands=40, stem_channels=(4, 6), width=24, hidden=32, dilations=(1, 3), curve_width=16, curve_hidden=24,
    curve_dilations=(2,), lookahead_steps=3,
)  # fmt: skip


def tiny_network(seed: int = 0) -> LiveNetwork:
    torch.manual_seed(seed)
    network = LiveNetwork(TINY)
    with torch.no_grad():  # livelier than fresh weights, so that a wrong state shows
        for weight in network.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return network.eval()
