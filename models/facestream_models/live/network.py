r"""The `live` network: 16 kHz audio in, phone classes and 15 speech curves out, causal, with explicit state.

    pcm -> log-mel (100 Hz) -> stem (two convolutions over frequency, 50 Hz) -> pairs -> causal blocks (25 Hz)
        -> classes of both steps of a pair (50 Hz) -> with class probabilities: two causal blocks -> curves (50 Hz)

Audio goes in by hops of 40 ms and two steps of 20 ms come out, so the trunk runs half as often as it speaks. Step k
describes the time 20(k + 1) ms - look-ahead; the second step of a hop has heard exactly that far, the first one 20 ms
further. The class head comes first: what the mouth does follows from what is said, and cross-entropy teaches that far
better than a regression does (section 7 of the speech-motion-data specification).

Anatomy is built in, not learned: `mouthClose` is a share of `jawOpen`, so it never exceeds it; a *seal* gate (p b m)
closes whatever gap is left, and a *bite* gate (f v) rolls the lower lip in, by the same rules that made the targets.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.coarticulation import CURVES
from facestream_models.corpus.phones import CLASSES
from facestream_models.encoders.causal import CausalBlock, with_history
from facestream_models.encoders.mel import TAIL, MelPower, log_features

STEP_SAMPLES = 320
STEP_RATE = 50
HOP_STEPS = 2
HOP_SAMPLES = HOP_STEPS * STEP_SAMPLES


@dataclass(frozen=True)
class LiveShape:
    """Sizes of the network. The defaults are the shipped `live` v1."""

    bands: int = 64
    stem_channels: tuple[int, int] = (16, 32)
    width: int = 256
    hidden: int = 512
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 1, 2, 1, 2, 4, 1, 2, 4, 1)
    curve_width: int = 128
    curve_hidden: int = 256
    curve_dilations: tuple[int, ...] = (1, 2)
    lookahead_steps: int = 3
    dropout: float = 0.1

    @property
    def lookahead_samples(self) -> int:
        """Of the second step of a hop; the first one has a step more."""
        return self.lookahead_steps * STEP_SAMPLES


class LiveOutput(NamedTuple):
    """`curves` [B, S, 15] in 0..1, `logits` [B, S, 21], `contacts` [B, S, 2] logits of seal and bite.

    `raw` [B, S, 15] are the curves before the contacts were enforced.
    """

    curves: Tensor
    logits: Tensor
    contacts: Tensor
    raw: Tensor


State = dict[str, Tensor]


class Stem(nn.Module):
    """Four mel frames -> one hop.

    The convolutions slide over time and frequency, so that a voice with a shorter vocal tract looks like the same
    phone a few bands higher.
    """

    def __init__(self, shape: LiveShape) -> None:
        super().__init__()
        first, second = shape.stem_channels
        self.first = nn.Conv2d(1, first, (3, 5), stride=(1, 2), padding=(0, 2))
        self.second = nn.Conv2d(first, second, (3, 5), stride=(2, 2), padding=(0, 2))
        self.project = nn.Linear(HOP_STEPS * second * (shape.bands // 4), shape.width)
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, features: Tensor, early: Tensor, late: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`features` [B, 4 P, bands] -> [B, P, width]; states [B, 2, bands] and [B, 1, channels * bands / 2]."""
        extended, next_early = with_history(features, early)
        x = F.silu(self.first(extended[:, None])).transpose(1, 2)  # [B, 2 S, channels, bands / 2]
        x, next_late = with_history(x.flatten(2), late)
        x = x.reshape(*x.shape[:2], self.first.out_channels, -1).transpose(1, 2)
        x = F.silu(self.second(x)).transpose(1, 2).flatten(2)
        x = x.reshape(x.shape[0], -1, HOP_STEPS * x.shape[2])
        return self.norm(self.project(x)), next_early, next_late


class LiveNetwork(nn.Module):
    """See the module text. `forward` takes PCM, `from_power` mel power (training augments it there)."""

    def __init__(self, shape: LiveShape) -> None:
        super().__init__()
        self.shape = shape
        self.mel = MelPower(shape.bands)
        self.stem = Stem(shape)
        self.blocks = nn.ModuleList(
            CausalBlock(shape.width, shape.hidden, shape.kernel, dilation, shape.dropout)
            for dilation in shape.dilations
        )
        self.norm = nn.LayerNorm(shape.width)
        self.classes = nn.Linear(shape.width, HOP_STEPS * len(CLASSES))
        self.enter_curves = nn.Linear(shape.width, HOP_STEPS * shape.curve_width)
        self.enter_classes = nn.Linear(len(CLASSES), shape.curve_width, bias=False)
        self.curve_blocks = nn.ModuleList(
            CausalBlock(shape.curve_width, shape.curve_hidden, shape.kernel, dilation, 0.0)
            for dilation in shape.curve_dilations
        )
        self.curve_norm = nn.LayerNorm(shape.curve_width)
        self.curves = nn.Linear(shape.curve_width, len(CURVES))
        self.contacts = nn.Linear(shape.curve_width, 2)
        nn.init.constant_(self.curves.bias, -2.0)
        nn.init.constant_(self.contacts.bias, -2.0)

    def fresh_state(self, rows: int) -> State:
        """Zeros for a stream that begins: one tensor a stateful layer, `[rows, ...]`."""
        shape = self.shape
        sizes: dict[str, tuple[int, ...]] = {
            "pcm": (TAIL,),
            "stem_early": (2, shape.bands),
            "stem_late": (1, shape.stem_channels[0] * (shape.bands // 2)),
            **{f"block_{n}": (b.history, shape.width) for n, b in enumerate(self._blocks(self.blocks))},
            **{f"curve_{n}": (b.history, shape.curve_width) for n, b in enumerate(self._blocks(self.curve_blocks))},
        }
        return {name: torch.zeros(rows, *size) for name, size in sizes.items()}

    def forward(self, pcm: Tensor, state: State) -> tuple[LiveOutput, State]:
        """`pcm` float [B, 640 P] -> output of 2 P steps and the next state."""
        power, pcm_tail = self.mel(pcm, state["pcm"])
        output, following = self.from_power(power, state)
        return output, {"pcm": pcm_tail, **following}

    def from_power(self, power: Tensor, state: State) -> tuple[LiveOutput, State]:
        """`power` [B, 4 P, bands] -> as `forward`, without the state of the framing."""
        x, following = self.trunk(power, state)
        logits = steps(self.classes(x))
        y, curve_state = self.mouth(x, torch.softmax(logits, dim=2), state)
        contacts = self.contacts(y)
        raw = torch.sigmoid(self.curves(y))
        curves = anatomical(raw, torch.sigmoid(contacts))
        return LiveOutput(curves, logits, contacts, raw), following | curve_state

    def mouth(self, heard: Tensor, classes: Tensor, state: State) -> tuple[Tensor, State]:
        """`heard` [B, P, width] and class probabilities [B, 2 P, 21] -> what curves and contacts are read off,
        [B, 2 P, curve_width], and the next state of the curve blocks.
        """
        following: State = {}
        y = steps(self.enter_curves(heard)) + self.enter_classes(classes)
        for number, block in enumerate(self.curve_blocks):
            y, following[f"curve_{number}"] = block(y, state[f"curve_{number}"])
        return self.curve_norm(y), following

    def trunk(self, power: Tensor, state: State) -> tuple[Tensor, State]:
        """`power` [B, 4 P, bands] -> what is heard [B, P, width] at 25 Hz, and the next state of stem and blocks."""
        following: State = {}
        x, following["stem_early"], following["stem_late"] = self.stem(
            log_features(power), state["stem_early"], state["stem_late"]
        )
        for number, block in enumerate(self.blocks):
            x, following[f"block_{number}"] = block(x, state[f"block_{number}"])
        heard: Tensor = self.norm(x)
        return heard, following

    @staticmethod
    def _blocks(blocks: nn.ModuleList) -> list[CausalBlock]:
        return [block for block in blocks if isinstance(block, CausalBlock)]


def hear_clip(network: LiveNetwork, audio: Tensor) -> LiveOutput:
    """What `network` says of one clip `[T]`, look-ahead taken out: row j of `[1, T // 320 + 1, ...]` is at 20j ms."""
    late = network.shape.lookahead_steps
    steps = len(audio) // STEP_SAMPLES + 1
    hops = -(-(steps + late) // HOP_STEPS)
    padded = F.pad(audio, (0, hops * HOP_SAMPLES - len(audio)))
    with torch.no_grad():
        output, _ = network(padded[None], network.fresh_state(1))
    return LiveOutput(*(part[:, late - 1 : late - 1 + steps] for part in output))


def steps(x: Tensor) -> Tensor:
    """Both steps of every hop, side by side [B, P, 2 C], as steps [B, 2 P, C]."""
    return x.reshape(x.shape[0], -1, x.shape[2] // HOP_STEPS)


class ContactRules(NamedTuple):
    """A number for each curve [15]: the share of it that a gate takes away, and how much of it a gate asks for."""

    seal_takes: Tensor
    bite_takes: Tensor
    seal_asks: Tensor
    bite_asks: Tensor
    is_close: Tensor


def _of_curves(**numbers: float) -> Tensor:
    return torch.tensor([numbers.get(curve, 0.0) for curve in CURVES])


CONTACT_RULES = ContactRules(
    seal_takes=_of_curves(mouthLowerDown=1.0, mouthUpperUp=1.0),
    bite_takes=_of_curves(jawOpen=0.45),
    seal_asks=_of_curves(mouthPress=0.30, mouthRollUpper=0.14, mouthRollLower=0.20),
    bite_asks=_of_curves(mouthRollLower=0.45),
    is_close=_of_curves(mouthClose=1.0) > 0.0,
)
"""Section 4 of the speech-motion-data specification."""


def anatomical(raw: Tensor, gates: Tensor) -> Tensor:
    """Apply the contact rules of section 4 to raw curves `[..., 15]` with gates `[..., 2]` (seal, bite) in 0..1.

    For all curves at once: what a gate takes of each, and what it asks of each at least.
    """
    rules = ContactRules(*(part.to(raw.device) for part in CONTACT_RULES))
    seal, bite = gates[..., :1], gates[..., 1:]
    shut = raw * (1.0 - seal * rules.seal_takes - bite * rules.bite_takes)
    jaw, close = CURVES.index("jawOpen"), CURVES.index("mouthClose")
    share = raw[..., close : close + 1] * (1.0 - seal) + seal
    closed = torch.where(rules.is_close, shut[..., jaw : jaw + 1] * share, shut)
    return torch.maximum(torch.maximum(closed, seal * rules.seal_asks), bite * rules.bite_asks)


def parameter_count(network: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in network.parameters())
