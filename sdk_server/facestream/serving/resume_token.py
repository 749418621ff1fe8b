"""What a broken stream needs to continue alike, packed into the token that its client got at the start.

The server keeps nothing: any server with the same model can read the token.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import Self

from facestream.errors import InvalidValue

_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """Facts that must be equal for the frames to be."""

    model: str
    version: str
    frame_rate: str
    seed: int

    def pack(self) -> str:
        """Text for the wire."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Read a token; raise `InvalidValue` for anything that is not one."""
        allowed = "StreamStarted.resume_token of the stream to continue, unchanged"
        try:
            facts = json.loads(base64.urlsafe_b64decode(text[:_LONGEST]))
            token = cls(**facts)
        except (binascii.Error, ValueError, TypeError):
            raise InvalidValue("config.resume.token", repr(text[:40]), allowed) from None
        if not isinstance(token.seed, int) or not 0 <= token.seed < 2**64:
            raise InvalidValue("config.resume.token", repr(text[:40]), allowed)
        return token
