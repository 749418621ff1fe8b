"""Messages of `facestream.v1` as the values of the host, and back.

What a client can get wrong in a field is refused here, or below under another name that is put right here.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from google.protobuf.duration_pb2 import Duration

from facestream import events
from facestream.acting import LIKELIEST, SPEECH, Abilities, ActingChange, Emotion, Sampling
from facestream.audio.pcm import Encoding, PcmFormat
from facestream.engines.base import ModelFacts
from facestream.errors import InvalidValue
from facestream.polish.options import ControlChange, PolishOptions
from facestream.serving.host import CURVE_SET, HeardEmotion, OpenedStream, ResumeRequest, StreamRequest
from facestream.serving.limits import CHUNK_BOUND_S, Limits
from facestream.serving.live_stream import GAP_LIMIT_S
from facestream.timebase import FrameRate
from facestream.transports.wire_styling import style_abilities_of, styling_names, styling_of
from facestream.types import Float32, Frames
from facestream.v1.acting_pb2 import ActingAbilities, ActingControls, EmotionVector, SampledMotion
from facestream.v1.animation_service_pb2 import HearEmotionResponse, ListModelsResponse, Model
from facestream.v1.audio_pb2 import AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import FrameRate as WireFrameRate
from facestream.v1.config_pb2 import MotionControls, ResumePoint, SlowReaderPolicy, StreamConfig
from facestream.v1.events_pb2 import (
    AheadOfRealTime,
    FlushDone,
    FramesDropped,
    Gap,
    GoingAway,
    GoingAwayReason,
    SpeechEnded,
    SpeechStarted,
    StreamEvent,
)
from facestream.v1.frames_pb2 import FrameRun
from facestream.v1.stream_started_pb2 import StreamLimits, StreamStarted

_ENCODINGS: dict[int, Encoding] = {
    AudioEncoding.AUDIO_ENCODING_S16LE: "s16le",
    AudioEncoding.AUDIO_ENCODING_F32LE: "f32le",
}
_WIRE_NAMES = {
    "audio": "audio.data",
    "encoding": "config.audio_format.encoding",
    "sample_rate_hz": "config.audio_format.sample_rate_hz",
    "channel_count": "config.audio_format.channel_count",
    "frame_rate": "config.frame_rate",
    "first_frame_sample": "config.resume.first_frame_index",
}
CONFIG_CONTROLS, CONTROL_CONTROLS = "config.controls", "control.controls"
"""Where `MotionControls` stand in the messages."""
_GOING_AWAY = {
    "max_age": GoingAwayReason.GOING_AWAY_REASON_MAX_AGE,
    "shutdown": GoingAwayReason.GOING_AWAY_REASON_SHUTDOWN,
}


def controls_names(field: str) -> dict[str, str]:
    """Names within the `MotionControls` at `field` of what is called otherwise below."""
    acting = f"{field}.acting"
    return {
        "mouth_strength": f"{field}.mouth_strength",
        "acting": acting,
        "preset": f"{acting}.preset",
        "speaker": f"{acting}.speaker",
        "emotion_spread": f"{acting}.emotion_spread",
        "emotion.mean": f"{acting}.vector.mean",
        "emotion.log_variance": f"{acting}.vector.log_variance",
        "sampling.tau_top": f"{acting}.sampled.tau_top",
        "sampling.tau_bottom": f"{acting}.sampled.tau_bottom",
        **styling_names(acting),
    }


class wire_names:  # noqa: N801 - used as a function is, and entered with every chunk of audio
    """A context: errors that come from below name the field of the message where it has another name."""

    __slots__ = ("_more",)

    def __init__(self, **more: str) -> None:
        self._more = more

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidValue):
            name = {**_WIRE_NAMES, **self._more}.get(error.field or "", error.field or "")
            raise type(error)(name, error.received, error.allowed) from None


def pcm_format_of(message: AudioFormat) -> PcmFormat:
    """The declared format; raise `InvalidValue` naming the field."""
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        raise InvalidValue(
            "config.audio_format.encoding", message.encoding, "AUDIO_ENCODING_S16LE (1) or AUDIO_ENCODING_F32LE (2)"
        )
    with wire_names():
        return PcmFormat(encoding, message.sample_rate_hz, message.channel_count or 1)


def request_of(config: StreamConfig, pcm_format: PcmFormat, *, is_clip: bool) -> StreamRequest:
    """What the first message asks for; raise `InvalidValue` naming the field."""
    if is_clip:
        for name, is_set in (
            ("resume", config.HasField("resume")),
            ("slow_reader_policy", config.slow_reader_policy),
            ("send_to", config.send_to),
        ):
            if is_set:
                allowed = "nothing: a clip starts at its start, waits for its reader and is not played"
                raise InvalidValue(f"config.{name}", "a value", allowed)
    if config.slow_reader_policy not in SlowReaderPolicy.values():
        allowed = "SLOW_READER_POLICY_DROP_OLDEST (1) or SLOW_READER_POLICY_WAIT (2)"
        raise InvalidValue("config.slow_reader_policy", config.slow_reader_policy, allowed)
    return StreamRequest(
        sample_rate_hz=pcm_format.sample_rate_hz,
        frame_rate=_frame_rate_of(config.frame_rate) if config.HasField("frame_rate") else FrameRate(30),
        model=config.model,
        curve_set=config.curve_set or CURVE_SET,
        seed=config.seed if config.HasField("seed") else None,
        polish=_polish_of(config.controls),
        drops_oldest=config.slow_reader_policy != SlowReaderPolicy.SLOW_READER_POLICY_WAIT,
        resume=_resume_of(config.resume) if config.HasField("resume") else None,
        acting=acting_of(config.controls, CONFIG_CONTROLS),
        is_clip=is_clip,
    )


def change_of(controls: MotionControls, field: str = CONTROL_CONTROLS) -> ControlChange:
    """Changed values; fields that are not set stay as they are."""
    with wire_names(**controls_names(field)):
        return ControlChange(
            mouth_strength=controls.mouth_strength if controls.HasField("mouth_strength") else None,
            blinks=controls.blinks if controls.HasField("blinks") else None,
            gaze=controls.gaze if controls.HasField("gaze") else None,
        )


def acting_of(controls: MotionControls, field: str = CONTROL_CONTROLS) -> ActingChange:
    """Changed acting; raise `InvalidValue` naming the field."""
    message = controls.acting
    with wire_names(**controls_names(field)):
        return ActingChange(
            emotion=_emotion_of(message),
            spread=message.emotion_spread if message.HasField("emotion_spread") else None,
            codes=_codes_of(message),
            speaker=message.speaker if message.HasField("speaker") else None,
            styling=styling_of(message.styling) if message.HasField("styling") else None,
        )


def _emotion_of(message: ActingControls) -> Emotion | str | None:
    match message.WhichOneof("emotion"):
        case "speech":
            return SPEECH
        case "vector":
            spread = np.array(message.vector.log_variance, np.float32) if message.vector.log_variance else None
            return Emotion(np.array(message.vector.mean, np.float32), spread)
        case "preset":
            if message.preset == SPEECH:  # below, the word means the speech's own emotion
                raise InvalidValue("preset", repr(SPEECH), "a preset of the model; for the speech's own, set 'speech'")
            return str(message.preset)
        case _:
            return None


def _codes_of(message: ActingControls) -> Sampling | Literal["likeliest"] | None:
    match message.WhichOneof("choice"):
        case "likeliest":
            return LIKELIEST
        case "sampled":
            sampled: SampledMotion = message.sampled
            return Sampling(
                tau_top=sampled.tau_top if sampled.HasField("tau_top") else 1.0,
                tau_bottom=sampled.tau_bottom if sampled.HasField("tau_bottom") else 1.0,
            )
        case _:
            return None


def _polish_of(controls: MotionControls) -> PolishOptions:
    change = change_of(controls, CONFIG_CONTROLS)
    defaults = PolishOptions()
    return PolishOptions(
        mouth_strength=defaults.mouth_strength if change.mouth_strength is None else change.mouth_strength,
        blinks=defaults.blinks if change.blinks is None else change.blinks,
        gaze=defaults.gaze if change.gaze is None else change.gaze,
    )


def _frame_rate_of(message: WireFrameRate) -> FrameRate:
    with wire_names():
        return FrameRate(message.numerator, message.denominator or 1)


def _resume_of(message: ResumePoint) -> ResumeRequest:
    for name in ("first_sample", "first_frame_index"):
        value = getattr(message, name)
        if not 0 <= value < 2**48:
            raise InvalidValue(f"config.resume.{name}", value, "0 to 2^48 - 1")
    return ResumeRequest(message.token, message.first_sample, message.first_frame_index)


def started_of(opened: OpenedStream, limits: Limits) -> StreamStarted:
    """The first message of an answer."""
    live = opened.stream.live
    rate_hz = live.options.sample_rate_hz
    message = StreamStarted(
        stream_id=opened.stream.stream_id,
        model=opened.model,
        model_version=opened.version,
        curve_names=opened.curve_names,
        frame_rate=WireFrameRate(
            numerator=live.options.frame_rate.numerator, denominator=live.options.frame_rate.denominator
        ),
        latency_samples=live.latency_samples,
        limits=StreamLimits(
            message_bytes=limits.message_bytes,
            chunk_samples=CHUNK_BOUND_S * rate_hz,
            gap_samples=GAP_LIMIT_S * rate_hz,
            ahead_samples=int(limits.input_bound_s * rate_hz),
            idle_timeout=_duration(limits.idle_timeout_s),
        ),
        resume_token=opened.resume_token,
        seed=opened.seed,
    )
    if limits.max_age_s is not None:
        message.limits.max_age.CopyFrom(_duration(limits.max_age_s))
    return message


def run_of(frames: Frames) -> FrameRun:
    """Frames as the wire carries them."""
    # from a list a repeated float field fills in a quarter of the time that it takes from an array (measured)
    run = FrameRun(
        first_frame_index=frames.first_index, frame_count=frames.count, weights=frames.weights.ravel().tolist()
    )
    if frames.pose is not None:
        run.head_rotation.extend(_flat(frames.pose.head))
        run.left_eye_rotation.extend(_flat(frames.pose.left_eye))
        run.right_eye_rotation.extend(_flat(frames.pose.right_eye))
    return run


def event_of(event: events.StreamEvent) -> StreamEvent:
    """An event as the wire carries it."""
    match event:
        case events.FlushDone(marker_id, next_frame_index):
            return StreamEvent(flush_done=FlushDone(marker_id=marker_id, next_frame_index=next_frame_index))
        case events.Gap(first_sample, sample_count):
            return StreamEvent(gap=Gap(first_sample=first_sample, sample_count=sample_count))
        case events.FramesDropped(first_frame_index, frame_count):
            return StreamEvent(
                frames_dropped=FramesDropped(first_frame_index=first_frame_index, frame_count=frame_count)
            )
        case events.SpeechStarted(sample):
            return StreamEvent(speech_started=SpeechStarted(sample=sample))
        case events.SpeechEnded(sample):
            return StreamEvent(speech_ended=SpeechEnded(sample=sample))
        case events.AheadOfRealTime(ahead_samples):
            return StreamEvent(ahead_of_real_time=AheadOfRealTime(ahead_samples=ahead_samples))
        case events.GoingAway(reason, time_left_s):
            going_away = GoingAway(reason=_GOING_AWAY[reason], time_left=_duration(time_left_s))
            return StreamEvent(going_away=going_away)


def models_of(models: Iterable[ModelFacts]) -> ListModelsResponse:
    """What a server can do."""
    return ListModelsResponse(models=[_model_of(facts) for facts in models])


def _model_of(facts: ModelFacts) -> Model:
    return Model(
        name=facts.name,
        version=facts.version,
        family=facts.family,
        latency_samples=facts.lookahead_samples + facts.ahead_samples,
        curve_sets=[CURVE_SET],
        has_pose=True,
        acting=None if facts.abilities is None else _abilities_of(facts.abilities),
    )


def heard_of(heard: HeardEmotion) -> HearEmotionResponse:
    """What a reference clip was heard to be."""
    emotion, spread = heard.emotion, heard.emotion.log_variance
    vector = EmotionVector(mean=emotion.mean.tolist(), log_variance=() if spread is None else spread.tolist())
    return HearEmotionResponse(model=heard.model, model_version=heard.version, emotion=vector)


def _abilities_of(abilities: Abilities) -> ActingAbilities:
    return ActingAbilities(
        emotion_width=abilities.emotion_width,
        presets=list(abilities.presets),
        speakers=abilities.speakers,
        step_samples=abilities.step_samples,
        styling=None if abilities.styling is None else style_abilities_of(abilities.styling),
    )


def _flat(rotations: Float32) -> list[float]:
    flat: list[float] = rotations.ravel().tolist()
    return flat


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(round(1000 * seconds))
    return duration
