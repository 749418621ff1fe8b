"""iFacialMocap over UDP: one line of text a frame (engine-formats section 3).

The app's receivers ask it to begin; this sender begins at once, which they take as well. Angles are degrees about the
axes of a right-handed space, +Y up, +Z forward: in the vendor's own example, a face looking at a phone below it, pitch
is positive and the eyes converge by a positive yaw of the right one.
"""

from collections.abc import Mapping
from math import degrees

import numpy as np

from facestream.client.playback import Face
from facestream.curves import ARKIT_NAMES, MIRROR_PAIRS, OPPOSED_PAIRS
from facestream.files.rotation import yaw_pitch_roll
from facestream.transports.senders.moment import Moment
from facestream.types import Float32

DEFAULT_PORT = 49983
OPTIONS = ()


def _names() -> tuple[str, ...]:
    """The app's names: sides as suffixes, except where left and right are two ways of one shape."""
    whole = {name for pair in OPPOSED_PAIRS for name in pair if name.endswith(("Left", "Right"))}
    ways = {name for name in whole if name.startswith(("jaw", "mouth"))}
    sided = {name for pair in MIRROR_PAIRS for name in pair} - ways
    return tuple(
        name.removesuffix("Left").removesuffix("Right") + ("_L" if name.endswith("Left") else "_R")
        if name in sided
        else name
        for name in ARKIT_NAMES
    )


NAMES = _names()
"""Names of table 1.2, in canonical order."""


class IFacialMocapEncoder:
    """One face; the format knows no names for several."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """There is nothing to choose."""

    def packets(self, face: Face, moment: Moment) -> list[bytes]:
        """One packet: shapes as whole percents, then head and eyes."""
        percents = np.rint(100 * np.clip(face.weights, 0.0, 1.0)).astype(int).tolist()
        shapes = "".join(f"{name}-{percent}|" for name, percent in zip(NAMES, percents, strict=True))
        head, right, left = map(_degrees, (face.head, face.right_eye, face.left_eye))
        return [f"{shapes}=head#{head},0,0,0|rightEye#{right}|leftEye#{left}|".encode()]


def _degrees(rotation: Float32) -> str:
    yaw, pitch, roll = map(degrees, yaw_pitch_roll(rotation))
    return f"{pitch:.4f},{-yaw:.4f},{roll:.4f}"
