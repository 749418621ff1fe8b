"""What `diffposetalk-compact` hears: the content of `live`, and how loud it is.

Heads nod on loud syllables. Of how fast a head pitches, a small network that was told loudness alone found .35 of the
variance over speakers it had not met, and of its speed .42; told the content of `live`, whose trunk is there to tell
phones whatever the voice, it found nothing and .22 (2026-11-21).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.diffposetalk.shape import FRAME_SAMPLES
from facestream_models.live.content import CONTENT_WIDTH, LATER_HOPS, LiveContent
from facestream_models.live.network import LiveNetwork

BLOCKS_A_FRAME = 2
LEVELS = BLOCKS_A_FRAME * (1 + LATER_HOPS)
"""Of the 20 ms blocks of a frame and of the one that follows, which `LiveContent` hears, too."""
HEARD_WIDTH = CONTENT_WIDTH + LEVELS
_QUIETEST, _BELS = 1e-6, 3.0
"""Power at level 0, -60 dB of full scale, and how much louder level 1 is."""


class HeardSpeech(nn.Module):
    """Raw `waveform` [B, 640 F] -> [B, F, content + 4]: content first, then levels, 0 in silence and 1 at -30 dB."""

    def __init__(self, network: LiveNetwork) -> None:
        super().__init__()
        self.content = LiveContent(network)
        self.classes = self.content.classes

    def forward(self, waveform: Tensor) -> Tensor:
        return torch.cat([self.content(waveform), levels(waveform)], dim=2)

    def phones(self, heard: Tensor) -> Tensor:
        """Probabilities of phone classes [B, F, classes], see `LiveContent.phones`."""
        return self.content.phones(heard[:, :, :-LEVELS])

    def seal(self, heard: Tensor) -> Tensor:
        """How far the lips are shut [B, F], see `LiveContent.seal`."""
        return self.content.seal(heard[:, :, :-LEVELS])


def levels(waveform: Tensor) -> Tensor:
    """Levels [B, F, 4] of `waveform` [B, 640 F]; silence follows its end."""
    padded = F.pad(waveform, (0, LATER_HOPS * FRAME_SAMPLES))
    blocks = padded.reshape(padded.shape[0], -1, FRAME_SAMPLES // BLOCKS_A_FRAME).square().mean(dim=2)
    bels = torch.log10(blocks.clamp(min=_QUIETEST) / _QUIETEST) / _BELS
    frames = bels.reshape(bels.shape[0], -1, BLOCKS_A_FRAME)
    return torch.cat([frames[:, : frames.shape[1] - LATER_HOPS], frames[:, LATER_HOPS:]], dim=2)


def louder(heard: Tensor, bels: Tensor) -> Tensor:
    """`heard` [B, F, H] with all levels but silence moved by `bels` [B]; content does not mind how loud it is."""
    level = heard[:, :, -LEVELS:]
    moved = (level + bels[:, None, None] / _BELS).clamp(min=0.0)
    return torch.cat([heard[:, :, :-LEVELS], torch.where(level > 0.0, moved, level)], dim=2)
