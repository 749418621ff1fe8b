"""DEEPTalk, whole: audio in, motion out, with an emotion from that audio or from elsewhere."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.errors import InvalidValue
from facestream_models.deeptalk.audio import (
    CODE_SAMPLES,
    FRAME_SAMPLES,
    audible_frames,
    content_waveform,
    emotion_waveform,
    pad_to_codes,
)
from facestream_models.deeptalk.emotion_embedding import SPEECH_SHAPE, EmotionGaussian, SequenceShape, SpeechEmotion
from facestream_models.deeptalk.generator import Generated, Generator, GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.encoders.emotion2vec import Emotion2Vec, Emotion2VecShape
from facestream_models.encoders.speech_transformer import SpeechTransformer, SpeechTransformerShape


@dataclass(frozen=True)
class DeepTalkShape:
    """Sizes of all parts; the defaults are the paper's, 218 million numbers."""

    content: SpeechTransformerShape = field(default_factory=SpeechTransformerShape)
    emotion_encoder: Emotion2VecShape = field(default_factory=Emotion2VecShape)
    emotion: SequenceShape = SPEECH_SHAPE
    prior: MotionPriorShape = field(default_factory=MotionPriorShape)
    generator: GeneratorShape = field(default_factory=GeneratorShape)


class ContentEncoder(nn.Module):
    """What is said: wav2vec2 at 25 Hz. The rate is halved between its convolutions and its layers.

    The released code resamples linearly with the end points aligned (section 2.3). Whole codes of audio give an odd
    number of feature frames, 8 K - 1, for which that is every other frame, and only those are computed.
    """

    def __init__(self, shape: SpeechTransformerShape) -> None:
        super().__init__()
        self.encoder = SpeechTransformer(shape)

    def forward(self, waveform: Tensor) -> Tensor:
        """`waveform` [B, 2560 K] behind `audio.content_waveform` -> [B, 4 K, width]."""
        return self.encoder.context(self.encoder.spaced_features(waveform, FRAME_SAMPLES))


class DeepTalk(nn.Module):
    """See the module text. `forward` is what is exported; `clip` is the way of use from torch."""

    def __init__(self, shape: DeepTalkShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or DeepTalkShape()
        self.content = ContentEncoder(shape.content)
        self.emotion = SpeechEmotion(Emotion2Vec(shape.emotion_encoder), shape.emotion)
        self.generator = Generator(shape.generator, shape.prior)
        self.prior = MotionPrior(shape.prior)

    def forward(self, waveform: Tensor, emotion: Tensor, actor: Tensor, top_noise: Tensor,
                bottom_noise: Tensor) -> Generated:  # fmt: skip
        """`waveform` [B, 2560 K] raw, `emotion` [B, 128], `actor` [B, 32], noises [B, K, 256] and [B, 2 K, 256]."""
        content = self.content(content_waveform(waveform))
        generated: Generated = self.generator(content, emotion, actor, self.prior, top_noise, bottom_noise)
        return generated

    def hear_emotion(self, waveform: Tensor) -> EmotionGaussian:
        """The emotion of a raw `waveform` [B, T], of its first 10 s."""
        gaussian: EmotionGaussian = self.emotion(emotion_waveform(waveform))
        return gaussian

    @torch.no_grad()
    def clip(self, waveform: Tensor, actor: int = 0, emotion: Tensor | None = None, *, raw: bool = False) -> Tensor:
        """Motion [B, frames, 53] of a raw `waveform` [B, T], reproducible: every code is the most likely one.

        `emotion` [B, 128] takes the place of the speech's own. Frames are those that the audio fills; with `raw` also
        the 1 to 4 of padding that the released code emits.
        """
        if not 0 <= actor < self.shape.generator.actors:
            raise InvalidValue("actor", actor, f"0 to {self.shape.generator.actors - 1}")
        padded = pad_to_codes(waveform)
        if emotion is None:
            emotion = self.hear_emotion(padded).mean
        one_hot = F.one_hot(torch.full((len(padded),), actor), self.shape.generator.actors).to(padded)
        codes = padded.shape[1] // CODE_SAMPLES
        quiet = padded.new_zeros(len(padded), codes, self.shape.generator.codes)
        motion: Tensor = self(padded, emotion, one_hot, quiet, quiet.repeat(1, 2, 1)).motion
        return motion if raw else motion[:, : audible_frames(waveform.shape[1])]
