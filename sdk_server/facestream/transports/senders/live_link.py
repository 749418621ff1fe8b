"""Live Link Face over UDP, version 6, as stock Unreal receives it (engine-formats section 2.2)."""

import struct
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from facestream.client.playback import Face
from facestream.errors import InvalidValue
from facestream.files.rotation import yaw_pitch_roll
from facestream.transports.senders.moment import Moment

DEFAULT_PORT = 11111
OPTIONS = ("subject",)

_VERSION, _VALUE_COUNT = 6, 61
_LONGEST_SUBJECT = 64


class LiveLinkEncoder:
    """One subject. Several subjects may share a port: the engine tells them apart by name."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """`subject` names the Live Link subject, 1 to 64 characters. Raises `InvalidValue`."""
        subject = options.get("subject", "facestream")
        if not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
            raise InvalidValue("subject", repr(subject), f"1 to {_LONGEST_SUBJECT} printable characters")
        # 36 characters: decoders in the field take the low byte of this length for a "$" that begins the id
        device = str(uuid5(NAMESPACE_URL, f"facestream:{subject}")).upper().encode()
        name = subject.encode()
        self._head = struct.pack(">Bi", _VERSION, len(device)) + device + struct.pack(">i", len(name)) + name

    def packets(self, face: Face, moment: Moment) -> list[bytes]:
        """One packet: 52 weights in Apple's order, then yaw, pitch, roll of head and eyes in radians."""
        # rounded, so that a frame on the grid never counts as the end of the one before
        frames = round(moment.day_s * float(moment.rate.fraction), 3)
        number = int(frames)
        time = struct.pack(
            ">ifiiB", number, frames - number, moment.rate.numerator, moment.rate.denominator, _VALUE_COUNT
        )
        angles = [angle for turn in (face.head, face.left_eye, face.right_eye) for angle in yaw_pitch_roll(turn)]
        return [self._head + time + face.weights.astype(">f4").tobytes() + struct.pack(">9f", *angles)]
