"""What can happen to a stream beside frames. The server tells, the client hands it on; both use these values.

Positions are samples of the client's own audio, frames are indices of the stream.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class FlushDone:
    """Every frame of the audio before the marker has been delivered."""

    marker_id: int
    next_frame_index: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio was missing and silence stands in for it."""

    first_sample: int
    sample_count: int


@dataclass(frozen=True, slots=True)
class FramesDropped:
    """The oldest unsent frames went because the client did not read."""

    first_frame_index: int
    frame_count: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A voice begins at `sample`."""

    sample: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A voice has ended at `sample`."""

    sample: int


@dataclass(frozen=True, slots=True)
class AheadOfRealTime:
    """The client sends faster than real time, by this much."""

    ahead_samples: int


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The call will be ended: a stream at its largest age, or a server that shuts down."""

    reason: Literal["max_age", "shutdown"]
    time_left_s: float


StreamEvent: TypeAlias = FlushDone | Gap | FramesDropped | SpeechStarted | SpeechEnded | AheadOfRealTime | GoingAway
