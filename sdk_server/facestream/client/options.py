"""What a client asks of a stream, and what the server says it gives."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from facestream.acting import ActingChange, Emotion, Sampling
from facestream.client.acting import controls_of
from facestream.errors import InvalidValue
from facestream.styling import StylingChange
from facestream.timebase import FrameClock, FrameRate
from facestream.v1.audio_pb2 import AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import FrameRate as WireFrameRate
from facestream.v1.config_pb2 import MotionControls, ResumePoint, SlowReaderPolicy, StreamConfig

Pcm = bytes | npt.NDArray[np.int16] | npt.NDArray[np.float32]
"""Audio as bytes in the declared encoding, or as an array `[T]` or `[T, channels]` of int16 or of -1..1 floats."""

_ENCODINGS = {"s16": AudioEncoding.AUDIO_ENCODING_S16LE, "f32": AudioEncoding.AUDIO_ENCODING_F32LE}
_POLICIES = {
    "drop_oldest": SlowReaderPolicy.SLOW_READER_POLICY_DROP_OLDEST,
    "wait": SlowReaderPolicy.SLOW_READER_POLICY_WAIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """Options of a stream; the defaults suit 16 kHz mono and a 30 fps character."""

    sample_rate_hz: int = 16000
    channel_count: int = 1
    encoding: Literal["s16", "f32"] = "s16"
    frame_rate: FrameRate = field(default_factory=lambda: FrameRate(30))
    model: str = ""
    """Empty means the server's default."""
    curve_set: str = "arkit52"
    seed: int | None = None
    """Of blinks, gaze and sampled motion; `None` lets the server choose."""
    mouth_strength: float = 1.0
    blinks: bool = True
    gaze: bool = True
    slow_reader: Literal["drop_oldest", "wait"] = "drop_oldest"
    emotion: Emotion | str | None = None
    """For models that act: a vector, the name of a preset, or "speech" for the speech's own (their default)."""
    emotion_spread: float | None = None
    """Standard deviations by which the seed moves the emotion, 0 to 4."""
    motion: Sampling | Literal["likeliest"] | None = None
    """The likeliest motion (their default), or one that the seed samples."""
    speaker: str | None = None
    """One of the model's speakers."""
    styling: StylingChange | None = None
    """For models with styles: whose style, how strongly, the head, and how the model is sampled."""

    send_to: tuple[str, ...] = ()
    """Live streams only: tools that the *server* sends the frames to, for example `livelink://:11111?subject=Hero`."""

    @property
    def acting(self) -> ActingChange:
        """What a model that acts is asked for. Raises `InvalidValue` for a spread out of range."""
        return ActingChange(self.emotion, self.emotion_spread, self.motion, self.speaker, self.styling)

    @property
    def controls(self) -> MotionControls:
        """What the motion starts with."""
        return MotionControls(
            mouth_strength=self.mouth_strength, blinks=self.blinks, gaze=self.gaze, acting=controls_of(self.acting)
        )

    @property
    def audio_format(self) -> AudioFormat:
        """What the bytes of all audio mean."""
        return AudioFormat(
            encoding=_ENCODINGS[self.encoding],
            sample_rate_hz=self.sample_rate_hz,
            channel_count=self.channel_count,
        )

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one instant of all channels."""
        return self.channel_count * (2 if self.encoding == "s16" else 4)

    def encode(self, pcm: Pcm) -> bytes:
        """`pcm` as the bytes that go over the wire; bytes are taken as they are."""
        if isinstance(pcm, bytes):
            return pcm
        if pcm.dtype == np.int16 and self.encoding == "s16":
            return pcm.astype("<i2", copy=False).tobytes()
        floats = pcm.astype(np.float32) / 32768 if pcm.dtype == np.int16 else pcm.astype(np.float32, copy=False)
        if self.encoding == "f32":
            return floats.astype("<f4", copy=False).tobytes()
        if not np.isfinite(floats).all():
            raise InvalidValue("pcm", "NaN or infinity", "finite samples; check what produced this audio")
        return np.clip(np.rint(floats * 32768), -32768, 32767).astype("<i2").tobytes()

    def config(self, resume: ResumePoint | None = None, *, is_clip: bool = False) -> StreamConfig:
        """The first message of a call."""
        return StreamConfig(
            model=self.model,
            audio_format=self.audio_format,
            frame_rate=WireFrameRate(numerator=self.frame_rate.numerator, denominator=self.frame_rate.denominator),
            curve_set=self.curve_set,
            seed=self.seed,
            controls=self.controls,
            slow_reader_policy=None if is_clip else _POLICIES[self.slow_reader],
            resume=resume,
            send_to=self.send_to,
        )


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the server said when the stream opened."""

    stream_id: str
    model: str
    model_version: str
    curve_names: tuple[str, ...]
    clock: FrameClock
    latency_samples: int
    chunk_samples: int
    """Longest chunk in one message; longer audio is cut by the client."""
    gap_samples: int
    ahead_samples: int
    idle_timeout_s: float
    max_age_s: float | None
    seed: int
    resume_token: str


@dataclass(frozen=True, slots=True)
class StylingAbilities:
    """What a model with styles can be asked for, and its own sampler, steps and scales.

    A `.style` file must name the model and this `digest`.
    """

    styles: tuple[str, ...]
    digest: str
    style_width: int
    moves_head: bool
    samplers: tuple[str, ...]
    most_steps: int
    sampler: str
    steps: int
    audio_scale: float
    style_scale: float


@dataclass(frozen=True, slots=True)
class ActingAbilities:
    """What a model that acts can be asked for: width of its emotion vectors, presets and speakers by name.

    Changes act on whole steps of `step_samples` at 16 kHz. A model without emotions has an `emotion_width` of 0, one
    without styles no `styling`.
    """

    emotion_width: int
    presets: tuple[str, ...]
    speakers: tuple[str, ...]
    step_samples: int
    styling: StylingAbilities | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of the server."""

    name: str
    version: str
    family: str
    latency_samples: int
    """Look-ahead at 16 kHz."""
    curve_sets: tuple[str, ...]
    has_pose: bool
    abilities: ActingAbilities | None = None
    """`None` for a model that can not act."""
