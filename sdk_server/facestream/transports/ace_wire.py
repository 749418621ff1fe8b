"""Messages of NVIDIA's interface as values, and back. Names, order and numbers are NVIDIA's, the rest is ours."""

import math
from collections.abc import Mapping

from facestream.curves import ARKIT_NAMES
from facestream.errors import AudioError, InvalidValue
from facestream.nvidia_ace.animation_data.v1.animation_data_pb2 import (
    AnimationData,
    AudioWithTimeCode,
    FloatArrayWithTimeCode,
    SkelAnimation,
    SkelAnimationHeader,
)
from facestream.nvidia_ace.audio.v1.audio_pb2 import AudioHeader
from facestream.nvidia_ace.controller.v1.controller_pb2 import (
    AnimationDataStream,
    AnimationDataStreamHeader,
    AudioStreamHeader,
    Event,
    EventType,
)
from facestream.nvidia_ace.emotion_aggregate.v1.emotion_aggregate_pb2 import EmotionAggregate
from facestream.nvidia_ace.emotion_with_timecode.v1.emotion_with_timecode_pb2 import EmotionWithTimeCode
from facestream.nvidia_ace.status.v1.status_pb2 import Status

BLEND_SHAPES = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)
"""The canonical curves as this interface spells them. Unreal's plugin maps them by position, not by name."""

MIN_SAMPLE_RATE_HZ = 16_000
MAX_SAMPLE_RATE_HZ = 144_000
_BITS = 16
_HEADER = "audio_stream_header.audio_header"
_LONGEST_TEXT = 1000


def sample_rate_of(header: AudioStreamHeader) -> int:
    """The rate of the audio that will come; raise `InvalidValue` naming the field where it can not be used."""
    if not header.HasField("audio_header"):
        raise InvalidValue(_HEADER, "nothing", "a header with format, channels, rate and bits")
    audio = header.audio_header
    if audio.audio_format != AudioHeader.AUDIO_FORMAT_PCM:
        raise AudioError(f"{_HEADER}.audio_format", audio.audio_format, "AUDIO_FORMAT_PCM (0)")
    if audio.channel_count != 1:
        raise AudioError(f"{_HEADER}.channel_count", audio.channel_count, "1; send mono")
    if audio.bits_per_sample != _BITS:
        raise AudioError(f"{_HEADER}.bits_per_sample", audio.bits_per_sample, f"{_BITS}")
    if not MIN_SAMPLE_RATE_HZ <= audio.samples_per_second <= MAX_SAMPLE_RATE_HZ:
        allowed = f"{MIN_SAMPLE_RATE_HZ} to {MAX_SAMPLE_RATE_HZ}"
        raise AudioError(f"{_HEADER}.samples_per_second", audio.samples_per_second, allowed)
    return int(audio.samples_per_second)


def default_audio_header() -> AudioHeader:
    """What an answer says of audio to a client that has said nothing."""
    return AudioHeader(channel_count=1, samples_per_second=MIN_SAMPLE_RATE_HZ, bits_per_sample=_BITS)


def answer_header(audio: AudioHeader, started_s: float) -> AnimationDataStream:
    """The first message of every answer; `started_s` since the Unix epoch."""
    header = AnimationDataStreamHeader(
        audio_header=audio,
        skel_animation_header=SkelAnimationHeader(blend_shapes=BLEND_SHAPES),
        start_time_code_since_epoch=started_s,
    )
    return AnimationDataStream(animation_data_stream_header=header)


def frame_message(time_s: float, weights: list[float], audio: bytes) -> AnimationDataStream:
    """One frame and the samples that sound during it."""
    frame = FloatArrayWithTimeCode(time_code=time_s, values=weights)
    return AnimationDataStream(
        animation_data=AnimationData(
            skel_animation=SkelAnimation(blend_shape_weights=[frame]),
            audio=AudioWithTimeCode(time_code=time_s, audio_buffer=audio),
        )
    )


def add_emotions(
    message: AnimationDataStream, time_s: float, asked: Mapping[str, float], acted: Mapping[str, float]
) -> None:
    """Say in a frame's metadata which emotions were asked for and are acted."""
    # `a2e_output` stays empty: the sample client has no place for it and ends with a key error
    emotions = EmotionAggregate(
        input_emotions=[EmotionWithTimeCode(time_code=time_s, emotion=asked)],
        a2f_smoothed_output=[EmotionWithTimeCode(time_code=time_s, emotion=acted)],
    )
    message.animation_data.metadata["emotion_aggregate"].Pack(emotions)


def end_event() -> AnimationDataStream:
    """Behind the last frame."""
    return AnimationDataStream(event=Event(event_type=EventType.END_OF_A2F_AUDIO_PROCESSING))


def success() -> AnimationDataStream:
    """The last message of a call that went well."""
    return _status(Status.SUCCESS, "all animation data was sent")


def information(text: str) -> AnimationDataStream:
    """Something worth knowing."""
    return _status(Status.INFO, text)


def warning(text: str) -> AnimationDataStream:
    """Something that was left out, or will happen."""
    return _status(Status.WARNING, text)


def error(text: str) -> AnimationDataStream:
    """The last message of a call that failed."""
    return _status(Status.ERROR, text)


def _status(code: "Status.Code", text: str) -> AnimationDataStream:
    return AnimationDataStream(status=Status(code=code, message=text[:_LONGEST_TEXT]))


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """A map of the wire without what is no number."""
    return {name: value for name, value in values.items() if math.isfinite(value)}
