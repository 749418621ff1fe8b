"""`deeptalk-compact`: DEEPTalk's generator and prior behind two small encoders, for one CPU core.

What is said is heard by the `live` network, which runs at just the 25 Hz that is needed and knows phones from far more
speech than is acted in emotions; it stays as it is. How it is said has an encoder of its own.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.corpus.coarticulation import CURVES
from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian, SequenceShape, SpeechEmotion
from facestream_models.deeptalk.generator import Generated, Generator, GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.live.content import CONTENT_WIDTH, LATER_HOPS, LiveContent
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, LiveNetwork, LiveShape, State, anatomical, steps

LIPS_WIDTH = HOP_STEPS * len(CURVES)
_LIPS_SCALE = 4.0
"""Curves are 0..1 and mostly near 0; so they count beside what the trunk hears."""


@dataclass(frozen=True)
class CompactShape:
    """Sizes of `deeptalk-compact`."""

    live: LiveShape = field(default_factory=lambda: LiveShape(dropout=0.0))
    emotion_encoder: CompactEmotionShape = field(
        default_factory=lambda: CompactEmotionShape(channels=0, hidden=768, dropout=0.05, hidden_dropout=0.5)
    )
    emotion: SequenceShape = field(
        default_factory=lambda: SequenceShape(width=128, layers=0, longest=250, cuts=True, heads=4, hidden=256, usual=8)
    )
    prior: MotionPriorShape = field(
        default_factory=lambda: MotionPriorShape(width=64, hidden=128, decoder_hidden=256, heads=4, dropout=0.0)
    )
    generator: GeneratorShape = field(
        default_factory=lambda: GeneratorShape(
            content=CONTENT_WIDTH + LIPS_WIDTH, width=96, heads=4, hidden=192, predictor_width=128,
            predictor_layers=3, dropout=0.0,
        )
    )  # fmt: skip


class Heard(NamedTuple):
    """`content` [B, F, width + classes + 2 * 15] of frames, and of steps of 20 ms the probabilities `phone` of the
    phone classes [B, 2 F, classes].
    """

    content: Tensor
    phone: Tensor


class CompactContent(LiveContent):
    """`LiveContent`, and behind it the curves that `live` would speak with: [B, F, width + classes + 2 * 15].

    They are far more of the way from sound to lips than its trunk is, and were learned from far more speech.
    """

    def forward(self, waveform: Tensor) -> Tensor:
        return self.whole(waveform).content

    def whole(self, waveform: Tensor) -> Heard:
        """All that is heard of a raw `waveform` [B, 640 F]; steps are those before the instant of a frame and at it."""
        padded = F.pad(waveform, (0, LATER_HOPS * HOP_SAMPLES))
        heard, _ = self.listen(padded, self.network.fresh_state(waveform.shape[0]))
        return Heard(heard.content[:, LATER_HOPS:], heard.phone[:, HOP_STEPS * LATER_HOPS - 1 : -1])

    def listen(self, pcm: Tensor, state: State) -> tuple[Heard, State]:
        """All that is heard of `pcm` [B, 640 H], and the next state (see `LiveContent.hear`).

        The first step of a hop is at the instant of its frame.
        """
        network, width = self.network, self.network.shape.width
        content, following = self.hear(pcm, state)
        classes = steps(content[:, :, width:]).exp()
        lips, mouth_state = network.mouth(content[:, :, :width], classes, state)
        curves = anatomical(torch.sigmoid(network.curves(lips)), torch.sigmoid(network.contacts(lips)))
        curves = curves.reshape(content.shape[0], -1, LIPS_WIDTH)
        return Heard(torch.cat([content, _LIPS_SCALE * curves], dim=2), classes), following | mouth_state


class CompactDeepTalk(nn.Module):
    """See the module text; the same seams as `system.DeepTalk`."""

    def __init__(self, shape: CompactShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or CompactShape()
        self.content = CompactContent(LiveNetwork(shape.live))
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
