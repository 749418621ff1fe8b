"""Acting as it goes over the wire, and emotions as they come back."""

from collections.abc import Sequence

import numpy as np

from facestream.acting import LIKELIEST, SPEECH, ActingChange, Emotion, Sampling
from facestream.style import Style
from facestream.styling import NO_STYLE, StyleBlend, StylingChange
from facestream.v1.acting_pb2 import (
    ActingControls,
    EmotionVector,
    LikeliestMotion,
    NoStyle,
    SampledMotion,
    SpeechEmotion,
    StyleControls,
    StyleSource,
)
from facestream.v1.acting_pb2 import GuidanceMode as WireMode
from facestream.v1.acting_pb2 import StyleBlend as WireBlend

_MODES = {
    "incremental": WireMode.GUIDANCE_MODE_INCREMENTAL,
    "independent": WireMode.GUIDANCE_MODE_INDEPENDENT,
}


def controls_of(change: ActingChange) -> ActingControls | None:
    """The message of what is set; `None` where nothing is."""
    if change.is_empty:
        return None
    message = ActingControls(emotion_spread=change.spread, speaker=change.speaker)
    if isinstance(change.emotion, Emotion):
        message.vector.CopyFrom(_vector_of(change.emotion))
    elif change.emotion == SPEECH:
        message.speech.CopyFrom(SpeechEmotion())
    elif change.emotion is not None:
        message.preset = change.emotion
    if change.styling is not None and not change.styling.is_empty:
        message.styling.CopyFrom(styling_controls_of(change.styling))
    if isinstance(change.codes, Sampling):
        sampled = SampledMotion(tau_top=change.codes.tau_top, tau_bottom=change.codes.tau_bottom)
        message.sampled.CopyFrom(sampled)
    elif change.codes == LIKELIEST:
        message.likeliest.CopyFrom(LikeliestMotion())
    return message


def styling_controls_of(change: StylingChange) -> StyleControls:
    """The message of what is set."""
    message = StyleControls(
        strength=change.strength,
        head_amount=change.head_amount,
        steps=change.steps,
        sampler=change.sampler,
        audio_scale=change.audio_scale,
        style_scale=change.style_scale,
        guidance=None if change.guidance is None else _MODES[change.guidance],
    )
    match change.style:
        case None:
            pass
        case StyleBlend(first, second, share):
            message.blend.CopyFrom(WireBlend(first=_source_of(first), second=_source_of(second), share=share))
        case Style() as style:
            message.file = style.to_bytes()
        case name if name == NO_STYLE:
            message.none.CopyFrom(NoStyle())
        case name:
            message.name = name
    return message


def _source_of(style: Style | str) -> StyleSource:
    return StyleSource(name=style) if isinstance(style, str) else StyleSource(file=style.to_bytes())


def emotion_of(vector: EmotionVector) -> Emotion:
    """A vector of the wire as a value."""
    spread: Sequence[float] = vector.log_variance
    return Emotion(np.array(vector.mean, np.float32), np.array(spread, np.float32) if spread else None)


def _vector_of(emotion: Emotion) -> EmotionVector:
    spread = () if emotion.log_variance is None else emotion.log_variance.tolist()
    return EmotionVector(mean=emotion.mean.tolist(), log_variance=spread)
