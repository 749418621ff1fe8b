"""`deeptalk-compact`: DEEPTalk's generator and prior behind two small encoders, for one CPU core.

What is said is heard by the trunk of the `live` network, which runs at just the 25 Hz that is needed and knows phones
from far more speech than is acted in emotions; it stays as it is. How it is said has an encoder of its own.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.phones import CLASSES
from facestream_models.deeptalk.audio import FRAME_SAMPLES, emotion_waveform
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian, SequenceShape, SpeechEmotion
from facestream_models.deeptalk.generator import Generated, Generator, GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, LiveNetwork, LiveShape

LATER_HOPS = 1
"""A frame takes the hop that begins at its instant and the one after: 80 ms of what follows, as `live` has."""

CONTENT_WIDTH = LiveShape().width + HOP_STEPS * len(CLASSES)


class LiveContent(nn.Module):
    """Raw `waveform` [B, 640 F] -> [B, F, width + classes]: what the trunk of `live` hears, and its class logits."""

    def __init__(self, network: LiveNetwork) -> None:
        super().__init__()
        assert HOP_SAMPLES == FRAME_SAMPLES
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


@dataclass(frozen=True)
class CompactShape:
    """Sizes of `deeptalk-compact`."""

    live: LiveShape = field(default_factory=lambda: LiveShape(dropout=0.0))
    emotion_encoder: CompactEmotionShape = field(default_factory=lambda: CompactEmotionShape(dropout=0.2))
    emotion: SequenceShape = field(
        default_factory=lambda: SequenceShape(
            width=128, layers=2, longest=250, cuts=True, heads=4, hidden=256, dropout=0.0, every=2
        )
    )
    prior: MotionPriorShape = field(
        default_factory=lambda: MotionPriorShape(width=64, hidden=128, decoder_hidden=256, heads=4, dropout=0.0)
    )
    generator: GeneratorShape = field(
        default_factory=lambda: GeneratorShape(
            content=CONTENT_WIDTH, width=96, heads=4, hidden=192, predictor_width=128, predictor_layers=3, dropout=0.0
        )
    )


class CompactDeepTalk(nn.Module):
    """See the module text; the same seams as `system.DeepTalk`."""

    def __init__(self, shape: CompactShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or CompactShape()
        self.content = LiveContent(LiveNetwork(shape.live))
        self.emotion = SpeechEmotion(CompactEmotionEncoder(shape.emotion_encoder), shape.emotion)
        self.generator = Generator(shape.generator, shape.prior)
        self.prior = MotionPrior(shape.prior)

    def forward(self, waveform: Tensor, emotion: Tensor, actor: Tensor, top_noise: Tensor,
                bottom_noise: Tensor) -> Generated:  # fmt: skip
        """As `system.DeepTalk`: `waveform` [B, 2560 K] raw, `emotion` [B, 128], `actor` [B, actors], noises."""
        content = self.content(waveform)
        generated: Generated = self.generator(content, emotion, actor, self.prior, top_noise, bottom_noise)
        return generated

    def hear_emotion(self, waveform: Tensor) -> EmotionGaussian:
        """The emotion of a raw `waveform` [B, T], T a multiple of 640, of its first 10 s."""
        gaussian: EmotionGaussian = self.emotion(emotion_waveform(waveform))
        return gaussian
