"""What a packet may say of the moment it is for."""

from dataclasses import dataclass
from typing import Protocol

from facestream.client.playback import Face
from facestream.timebase import FrameRate


@dataclass(frozen=True, slots=True)
class Moment:
    """When a face is shown: `day_s` seconds since local midnight, `stream_s` since the stream's first frame."""

    day_s: float
    stream_s: float
    rate: FrameRate


class Encoder(Protocol):
    """A tool's own language. One encoder belongs to one target, and may keep what all its packets share."""

    def packets(self, face: Face, moment: Moment) -> list[bytes]:
        """The datagrams that show `face`, to be sent in this order."""
