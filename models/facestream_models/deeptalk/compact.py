"""`deeptalk-compact`: DEEPTalk's generator and prior behind two small encoders, for one CPU core.

What is said is heard by the `live` network, which runs at just the 25 Hz that is needed and knows phones from far more
speech than is acted in emotions; it stays as it is. How it is said has an encoder of its own.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from facestream_models.corpus.coarticulation import CURVES
from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian, SequenceShape, SpeechEmotion
from facestream_models.deeptalk.generator import Generated, Generator, GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder, CompactEmotionShape
from facestream_models.live.content import CONTENT_WIDTH, LiveContent
from facestream_models.live.network import HOP_STEPS, LiveNetwork, LiveShape, anatomical, steps

LIPS_WIDTH = HOP_STEPS * len(CURVES)
_LIPS_SCALE = 4.0
"""Curves are 0..1 and mostly near 0; so they count beside what the trunk hears."""


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
            content=CONTENT_WIDTH + LIPS_WIDTH, width=96, heads=4, hidden=192, predictor_width=128,
            predictor_layers=3, dropout=0.0,
        )
    )  # fmt: skip


class CompactContent(LiveContent):
    """`LiveContent`, and behind it the curves that `live` would speak with: [B, F, width + classes + 2 * 15].

    They are far more of the way from sound to lips than its trunk is, and were learned from far more speech.
    """

    def forward(self, waveform: Tensor) -> Tensor:
        content = super().forward(waveform)
        return torch.cat([content, _LIPS_SCALE * self._curves(content)], dim=2)

    def seal(self, content: Tensor) -> Tensor:
        return super().seal(content[:, :, :-LIPS_WIDTH])

    def _curves(self, content: Tensor) -> Tensor:
        """Curves of both steps of each frame of `content`, [B, F, 30]."""
        network = self.network
        first = network.shape.width
        classes = steps(content[:, :, first:]).exp()
        lips, _ = network.mouth(content[:, :, :first], classes, network.fresh_state(content.shape[0]))
        curves = anatomical(torch.sigmoid(network.curves(lips)), torch.sigmoid(network.contacts(lips)))
        return curves.reshape(content.shape[0], -1, LIPS_WIDTH)


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
