"""Open Sound Control 1.0: messages and bundles as bytes, as much of it as VMC needs."""

import struct
from collections.abc import Sequence

_IMMEDIATELY = struct.pack(">Q", 1)


def message(address: str, *arguments: str | int | float) -> bytes:
    """One message; strings, 32-bit integers and 32-bit floats."""
    tags, data = ",", b""
    for argument in arguments:
        match argument:
            case str():
                tags, data = tags + "s", data + padded(argument)
            case int():
                tags, data = tags + "i", data + struct.pack(">i", argument)
            case float():
                tags, data = tags + "f", data + struct.pack(">f", argument)
    return padded(address) + padded(tags) + data


def padded(text: str) -> bytes:
    """A string with one to four zeros behind it, its length a multiple of four."""
    encoded = text.encode()
    return encoded + b"\0" * (4 - len(encoded) % 4)


def bundle(messages: Sequence[bytes]) -> bytes:
    """Messages that are to act at once and together."""
    return b"#bundle\0" + _IMMEDIATELY + b"".join(struct.pack(">i", len(one)) + one for one in messages)
