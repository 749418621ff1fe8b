"""What the trunk of a trained `live` network hears, as the content encoder of other families.

It runs at just the 25 Hz that they need and knows phones from far more speech than is acted in styles or emotions, so
it stays as it is.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.phones import CLASSES, INDEX
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, LiveNetwork, LiveShape, State, steps

LATER_HOPS = 1
"""A frame takes the hop that begins at its instant and the one after: 80 ms of what follows, as `live` has."""

GATE_SHIFT = 0.35
"""The runtime shuts lips from .2 to .6 of what it is told of a bilabial; of the gate that is .55 to .95."""

CONTENT_WIDTH = LiveShape().width + HOP_STEPS * len(CLASSES)


class LiveContent(nn.Module):
    """Raw `waveform` [B, 640 F] -> [B, F, width + classes]: what the trunk hears, and its class log-probabilities."""

    def __init__(self, network: LiveNetwork) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.classes = len(CLASSES)

    def forward(self, waveform: Tensor) -> Tensor:
        padded = F.pad(waveform, (0, LATER_HOPS * HOP_SAMPLES))
        content, _ = self.hear(padded, self.network.fresh_state(waveform.shape[0]))
        return content[:, LATER_HOPS:]

    def hear(self, pcm: Tensor, state: State) -> tuple[Tensor, State]:
        """The same hop by hop: `pcm` [B, 640 H] behind what `state` has heard -> [B, H, width + classes], next state.

        A hop gives the frame that began `LATER_HOPS` before it; the first one of a stream gives none that is meant.
        """
        network = self.network
        power, tail = network.mel(pcm, state["pcm"])
        heard, following = network.trunk(power, state)
        logits = network.classes(heard)
        # written as a plain reshape: traced, `unflatten` would fix the number of frames in the exported graph
        both = logits.reshape(*logits.shape[:2], HOP_STEPS, logits.shape[2] // HOP_STEPS)
        content = torch.cat([heard, torch.log_softmax(both, dim=3).flatten(2)], dim=2)
        return content, {"pcm": tail, **following}

    def phones(self, content: Tensor) -> Tensor:
        """Probabilities of the phone classes [B, F, classes] at the instant of each frame of `content`.

        A hop's first step describes the end of its first 20 ms, three steps late: the instant at which the hop before
        begins, and that is the frame's.
        """
        first = self.network.shape.width
        return content[:, :, first : first + self.classes].exp()

    def seal(self, content: Tensor) -> Tensor:
        """How far what is said shuts the lips [B, F] in each frame of the `content` of a whole clip."""
        return self.hear_seal(content, self.network.fresh_state(content.shape[0]))[0]

    def hear_seal(self, content: Tensor, state: State) -> tuple[Tensor, State]:
        """How far what is said shuts the lips [B, F], 0..1, in each frame of `content`, its two steps taken together;
        `content` is behind what `state` has heard. And the next state.

        A closure may lie in the second step alone ("m" of "married"), so a bilabial in either counts; the network's own
        seal gate is surer of long closures but shuts neighbours too, so it counts where both steps have it. Closures of
        478 bilabials in studio prompts through the runtime, and how many of 677 open vowels were shut (2026-11-21):
        .975 and 0; by the class of the first step alone .956 and 0, of either step .973 and 0, by a gate that begins at
        .4 .985 and 1, by the gate of either step .996 and 39. `live` itself has .979 and 1.
        """
        network = self.network
        heard, classes = content[:, :, : network.shape.width], steps(content[:, :, network.shape.width :]).exp()
        lips, following = network.mouth(heard, classes, state)
        gate = torch.sigmoid(network.contacts(lips)[:, :, 0])
        gate, bilabial = (x.reshape(x.shape[0], -1, HOP_STEPS) for x in (gate, classes[:, :, INDEX["PP"]]))
        return torch.maximum(bilabial.amax(dim=2), (gate.amin(dim=2) - GATE_SHIFT).clamp(min=0.0)), following
