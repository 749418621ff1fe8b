"""Messages of the wire as the client's values."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from facestream import events
from facestream.client.options import ActingAbilities, ModelInfo, StreamInfo, StylingAbilities
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32, Frames, Pose
from facestream.v1.acting_pb2 import ActingAbilities as WireAbilities
from facestream.v1.acting_pb2 import StyleAbilities
from facestream.v1.animation_service_pb2 import Model
from facestream.v1.events_pb2 import GoingAwayReason, StreamEvent
from facestream.v1.frames_pb2 import FrameRun
from facestream.v1.stream_started_pb2 import StreamStarted


def frames_of(run: FrameRun) -> Frames:
    """A run of frames as arrays `[F, C]`, and `[F, 4]` for each rotation."""
    count = run.frame_count
    pose = None
    if run.head_rotation:
        pose = Pose(
            head=_rows(run.head_rotation, count),
            left_eye=_rows(run.left_eye_rotation, count),
            right_eye=_rows(run.right_eye_rotation, count),
        )
    return Frames(run.first_frame_index, _rows(run.weights, count), pose)


def _rows(values: Sequence[float], count: int) -> Float32:
    return np.fromiter(values, np.float32, len(values)).reshape(count, -1)


def event_of(message: StreamEvent) -> events.StreamEvent | None:
    """An event; `None` for a kind that only a newer server knows."""
    match message.WhichOneof("kind"):
        case "flush_done":
            return events.FlushDone(message.flush_done.marker_id, message.flush_done.next_frame_index)
        case "gap":
            return events.Gap(message.gap.first_sample, message.gap.sample_count)
        case "frames_dropped":
            dropped = message.frames_dropped
            return events.FramesDropped(dropped.first_frame_index, dropped.frame_count)
        case "speech_started":
            return events.SpeechStarted(message.speech_started.sample)
        case "speech_ended":
            return events.SpeechEnded(message.speech_ended.sample)
        case "ahead_of_real_time":
            return events.AheadOfRealTime(message.ahead_of_real_time.ahead_samples)
        case "going_away":
            shutdown = message.going_away.reason == GoingAwayReason.GOING_AWAY_REASON_SHUTDOWN
            reason: Literal["max_age", "shutdown"] = "shutdown" if shutdown else "max_age"
            return events.GoingAway(reason, message.going_away.time_left.ToMilliseconds() / 1000)
        case _:
            return None


def info_of(started: StreamStarted, sample_rate_hz: int) -> StreamInfo:
    """The first message of an answer."""
    limits = started.limits
    rate = FrameRate(started.frame_rate.numerator, started.frame_rate.denominator)
    return StreamInfo(
        stream_id=started.stream_id,
        model=started.model,
        model_version=started.model_version,
        curve_names=tuple(started.curve_names),
        clock=FrameClock(rate, sample_rate_hz),
        latency_samples=started.latency_samples,
        chunk_samples=limits.chunk_samples,
        gap_samples=limits.gap_samples,
        ahead_samples=limits.ahead_samples,
        idle_timeout_s=limits.idle_timeout.ToMilliseconds() / 1000,
        max_age_s=limits.max_age.ToMilliseconds() / 1000 if limits.HasField("max_age") else None,
        seed=started.seed,
        resume_token=started.resume_token,
    )


def model_of(model: Model) -> ModelInfo:
    """One row of `ListModels`."""
    return ModelInfo(
        name=model.name,
        version=model.version,
        family=model.family,
        latency_samples=model.latency_samples,
        curve_sets=tuple(model.curve_sets),
        has_pose=model.has_pose,
        abilities=_abilities_of(model.acting) if model.HasField("acting") else None,
    )


def _abilities_of(message: WireAbilities) -> ActingAbilities:
    return ActingAbilities(
        message.emotion_width,
        tuple(message.presets),
        tuple(message.speakers),
        message.step_samples,
        _styling_of(message.styling) if message.HasField("styling") else None,
    )


def _styling_of(message: StyleAbilities) -> StylingAbilities:
    return StylingAbilities(
        styles=tuple(message.styles),
        digest=message.digest,
        style_width=message.style_width,
        moves_head=message.moves_head,
        samplers=tuple(message.samplers),
        most_steps=message.most_steps,
        sampler=message.sampler,
        steps=message.steps,
        audio_scale=message.audio_scale,
        style_scale=message.style_scale,
    )
