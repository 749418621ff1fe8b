"""What `diffposetalk-compact` hears: the content of `live`, and how loud it is.

Heads nod on loud syllables. Of how fast a head pitches, a small network that was told loudness alone found .35 of the
variance over speakers it had not met, and of its speed .42; told the content of `live`, whose trunk is there to tell
phones whatever the voice, it found nothing and .22 (2026-11-21).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.diffposetalk.shape import FRAME_SAMPLES
from facestream_models.encoders.causal import with_history
from facestream_models.live.content import CONTENT_WIDTH, LATER_HOPS, LiveContent
from facestream_models.live.network import LiveNetwork, State

BLOCKS_A_FRAME = 2
LEVELS = BLOCKS_A_FRAME * (1 + LATER_HOPS)
"""Of the 20 ms blocks of a frame and of the one that follows, which `LiveContent` hears, too."""
HEARD_WIDTH = CONTENT_WIDTH + LEVELS
LEVEL_STATE = "level"
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

    def fresh_state(self, rows: int) -> State:
        """Of streams that begin, see `hear`."""
        states = self.content.network.fresh_state(rows)
        return {**states, LEVEL_STATE: torch.zeros(rows, LATER_HOPS, BLOCKS_A_FRAME)}

    def hear(self, pcm: Tensor, state: State) -> tuple[Tensor, State]:
        """The same hop by hop: `pcm` [B, 640 H] behind what `state` has heard -> [B, H, content + 4], next state.

        A hop gives the frame that began one hop before it; the first one of a stream gives none that is meant.
        """
        content, following = self.content.hear(pcm, state)
        extended, level = with_history(_block_levels(pcm), state[LEVEL_STATE])
        return torch.cat([content, _with_later(extended)], dim=2), {**following, LEVEL_STATE: level}

    def phones(self, heard: Tensor) -> Tensor:
        """Probabilities of phone classes [B, F, classes], see `LiveContent.phones`."""
        return self.content.phones(heard[:, :, :-LEVELS])

    def seal(self, heard: Tensor) -> Tensor:
        """How far the lips are shut [B, F], see `LiveContent.seal`."""
        return self.content.seal(heard[:, :, :-LEVELS])

    def hear_seal(self, heard: Tensor, state: State) -> tuple[Tensor, State]:
        """The same hop by hop, see `LiveContent.hear_seal`."""
        return self.content.hear_seal(heard[:, :, :-LEVELS], state)


def levels(waveform: Tensor) -> Tensor:
    """Levels [B, F, 4] of `waveform` [B, 640 F]; silence follows its end."""
    return _with_later(_block_levels(F.pad(waveform, (0, LATER_HOPS * FRAME_SAMPLES))))


def _block_levels(waveform: Tensor) -> Tensor:
    """Levels [B, F, 2] of the blocks of `waveform` [B, 640 F]."""
    blocks = waveform.reshape(waveform.shape[0], -1, FRAME_SAMPLES // BLOCKS_A_FRAME).square().mean(dim=2)
    bels = torch.log10(blocks.clamp(min=_QUIETEST) / _QUIETEST) / _BELS
    return bels.reshape(bels.shape[0], -1, BLOCKS_A_FRAME)


def _with_later(frames: Tensor) -> Tensor:
    """`frames` [B, F + 1, 2], each with the one that follows [B, F, 4]."""
    return torch.cat([frames[:, : frames.shape[1] - LATER_HOPS], frames[:, LATER_HOPS:]], dim=2)


def louder(heard: Tensor, bels: Tensor) -> Tensor:
    """`heard` [B, F, H] with all levels but silence moved by `bels` [B]; content does not mind how loud it is."""
    level = heard[:, :, -LEVELS:]
    moved = (level + bels[:, None, None] / _BELS).clamp(min=0.0)
    return torch.cat([heard[:, :, :-LEVELS], torch.where(level > 0.0, moved, level)], dim=2)
