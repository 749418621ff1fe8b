"""What an operator chooses about the ACE service."""

from dataclasses import dataclass, field

from facestream.timebase import FrameRate


@dataclass(frozen=True, slots=True)
class AceOptions:
    """`model` animates every call, empty for the server's first. `clip_bound_s` is the longest call in seconds of
    audio. `pace` holds frames back to so many times real time. With `rests_at_end` 300 ms of frames with silence follow
    the audio.
    """

    model: str = ""
    frame_rate: FrameRate = field(default_factory=lambda: FrameRate(30))
    clip_bound_s: float = 300.0
    pace: float | None = None
    rests_at_end: bool = False
