"""Acting as it goes over the wire, and emotions as they come back."""

from collections.abc import Sequence

import numpy as np

from facestream.acting import LIKELIEST, SPEECH, ActingChange, Emotion, Sampling
from facestream.v1.acting_pb2 import (
    ActingControls,
    EmotionVector,
    LikeliestMotion,
    SampledMotion,
    SpeechEmotion,
)


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
    if isinstance(change.codes, Sampling):
        sampled = SampledMotion(tau_top=change.codes.tau_top, tau_bottom=change.codes.tau_bottom)
        message.sampled.CopyFrom(sampled)
    elif change.codes == LIKELIEST:
        message.likeliest.CopyFrom(LikeliestMotion())
    return message


def emotion_of(vector: EmotionVector) -> Emotion:
    """A vector of the wire as a value."""
    spread: Sequence[float] = vector.log_variance
    return Emotion(np.array(vector.mean, np.float32), np.array(spread, np.float32) if spread else None)


def _vector_of(emotion: Emotion) -> EmotionVector:
    spread = () if emotion.log_variance is None else emotion.log_variance.tolist()
    return EmotionVector(mean=emotion.mean.tolist(), log_variance=spread)
