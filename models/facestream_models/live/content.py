"""What the trunk of a trained `live` network hears, as the content encoder of other families.

It runs at just the 25 Hz that they need and knows phones from far more speech than is acted in styles or emotions, so
it stays as it is.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.phones import CLASSES
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, LiveNetwork, LiveShape

LATER_HOPS = 1
"""A frame takes the hop that begins at its instant and the one after: 80 ms of what follows, as `live` has."""

CONTENT_WIDTH = LiveShape().width + HOP_STEPS * len(CLASSES)


class LiveContent(nn.Module):
    """Raw `waveform` [B, 640 F] -> [B, F, width + classes]: what the trunk hears, and its class log-probabilities."""

    def __init__(self, network: LiveNetwork) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.classes = len(CLASSES)

    def forward(self, waveform: Tensor) -> Tensor:
        network = self.network
        padded = F.pad(waveform, (0, LATER_HOPS * HOP_SAMPLES))
        state = network.fresh_state(waveform.shape[0])
        power, _ = network.mel(padded, state["pcm"])
        heard, _ = network.trunk(power, state)
        logits = network.classes(heard)
        # written as a plain reshape: traced, `unflatten` would fix the number of frames in the exported graph
        steps = logits.reshape(*logits.shape[:2], HOP_STEPS, logits.shape[2] // HOP_STEPS)
        return torch.cat([heard, torch.log_softmax(steps, dim=3).flatten(2)], dim=2)[:, LATER_HOPS:]

    def phones(self, content: Tensor) -> Tensor:
        """Probabilities of the phone classes [B, F, classes] at the instant of each frame of `content`.

        A hop's first step describes the end of its first 20 ms, three steps late: the instant at which the hop before
        begins, and that is the frame's.
        """
        first = self.network.shape.width
        return content[:, :, first : first + self.classes].exp()
