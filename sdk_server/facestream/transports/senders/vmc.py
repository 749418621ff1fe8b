"""VMC: faces for VRM avatars, OSC bundles over UDP (engine-formats section 4).

A frame is more than one datagram may hold, so it goes as several bundles, and the last one says that it is whole. All
of them are laid out once; a frame only fills in its numbers.
"""

from collections.abc import Mapping

import numpy as np

from facestream.client.playback import Face
from facestream.curves import ARKIT_NAMES, INDEX
from facestream.errors import InvalidValue
from facestream.transports.senders import osc
from facestream.transports.senders.moment import Moment
from facestream.types import Float32
from facestream.visemes import vowels_of

DEFAULT_PORT = 39539
OPTIONS = ("names", "bones")

LARGEST_BUNDLE = 1400
"""Bytes; with the headers of IP and UDP this passes through any network whole."""

# five vowels in the order of `visemes.VOWELS`, two blinks
_PRESETS = {
    "vrm0": ("A", "I", "U", "E", "O", "Blink_L", "Blink_R"),
    "vrm1": ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight"),
}
_NAMES = ("pascal", "camel", *_PRESETS)
_BONES = ("Head", "LeftEye", "RightEye")
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_TO_UNITY = np.array([1.0, -1.0, -1.0, 1.0], np.float32)
"""Quaternions of a right-handed space in Unity's left-handed one (engine-formats section 7)."""


class VmcEncoder:
    """One avatar: all 52 shapes ("perfect sync"), or five vowels and two blinks for avatars that lack them."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """`names`: pascal (JawOpen), camel (jawOpen), vrm0 (A), vrm1 (aa); `bones`: on also sends head and eyes.

        Raises `InvalidValue`.
        """
        names, bones = options.get("names", "pascal"), options.get("bones", "off")
        if names not in _NAMES:
            raise InvalidValue("names", repr(names), ", ".join(_NAMES))
        if bones not in ("on", "off"):
            raise InvalidValue("bones", repr(bones), "on, off")
        self._is_preset = names in _PRESETS
        self._has_bones = bones == "on"
        shapes = _PRESETS.get(names, ARKIT_NAMES)
        if names == "pascal":
            shapes = tuple(name[0].upper() + name[1:] for name in shapes)
        # every message but the first and the last ends with the numbers that a frame fills in
        messages = [(osc.message("/VMC/Ext/T", 0.0), 1)]
        messages += [(osc.message("/VMC/Ext/Blend/Val", name, 0.0), 1) for name in shapes]
        if self._has_bones:
            # a bone's position is its own; only where it turns is ours to say
            messages += [(osc.message("/VMC/Ext/Bone/Pos", bone, *[0.0] * 7), 4) for bone in _BONES]
        self._bundles, self._places = _laid_out(messages)

    def packets(self, face: Face, moment: Moment) -> list[bytes]:
        """Bundles of at most 1,400 bytes; `Blend/Apply` ends the last one."""
        values = [np.array([moment.stream_s], np.float32), self._weights(face)]
        if self._has_bones:
            values += [turn * _TO_UNITY for turn in (face.head, face.left_eye, face.right_eye)]
        numbers = np.concatenate(values).astype(">f4").view(np.uint8).reshape(-1, 4)
        packets, first = [], 0
        for bundle, places in zip(self._bundles, self._places, strict=True):
            bundle[places] = numbers[first : first + len(places)]
            first += len(places)
            packets.append(bundle.tobytes())
        return packets

    def _weights(self, face: Face) -> Float32:
        if not self._is_preset:
            return face.weights
        return np.concatenate([vowels_of(face.weights[None])[0], face.weights[_BLINKS]])


def _laid_out(
    messages: list[tuple[bytes, int]],
) -> tuple[list[np.ndarray[tuple[int], np.dtype[np.uint8]]], list[np.ndarray[tuple[int, int], np.dtype[np.intp]]]]:
    """Bundles, and for each the places [numbers, 4] of the bytes that its messages' last numbers have in it."""
    opening, closing = osc.message("/VMC/Ext/OK", 1), osc.message("/VMC/Ext/Blend/Apply")
    groups: list[list[bytes]] = [[opening]]
    ends: list[list[int]] = [[]]
    for one, count in messages:
        if len(osc.bundle([*groups[-1], one, closing])) > LARGEST_BUNDLE:
            groups.append([])
            ends.append([])
        groups[-1].append(one)
        end = len(osc.bundle(groups[-1]))
        ends[-1] += [end - 4 * left for left in range(count, 0, -1)]
    groups[-1].append(closing)
    bundles = [np.frombuffer(osc.bundle(group), np.uint8).copy() for group in groups]
    return bundles, [np.array(starts, np.intp)[:, None] + np.arange(4) for starts in ends]
