"""Bearer tokens: `authorization: Bearer TOKEN` in the metadata of a call or the headers of a WebSocket.

Pages in browsers can not set headers; they offer the token as a subprotocol, see `subprotocol_token`.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable

from facestream.errors import Denied

_SUBPROTOCOL = "facestream.token."


def subprotocol_token(offered: Iterable[str]) -> str | None:
    """The token among the subprotocols that a page offers: `facestream.token.` and its UTF-8 in base64url.

    Base64url without padding, as subprotocols allow no `=`; a token itself may hold anything. One that is no base64url
    gives an empty token, which nobody accepts.
    """
    for name in offered:
        if name.startswith(_SUBPROTOCOL):
            encoded = name.removeprefix(_SUBPROTOCOL)
            try:
                return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return None


class TokenCheck:
    """Knows the accepted tokens. Without any, every caller is welcome."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = tuple(token.encode() for token in tokens)

    @property
    def is_open(self) -> bool:
        """Whether every caller is welcome."""
        return not self._tokens

    def admit(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Raise `Denied` unless the metadata carry an accepted token."""
        if self.is_open:
            return
        header = next((value for key, value in metadata if key == "authorization"), None)
        if header is None:
            raise Denied(
                "no credentials; send 'authorization: Bearer TOKEN' as metadata or header, from a page the "
                f"subprotocol '{_SUBPROTOCOL}' and the token in base64url"
            )
        value = header if isinstance(header, bytes) else header.encode()
        scheme, _, received = value.partition(b" ")
        # every token is compared, in constant time: how long it takes tells nothing about which one came close
        matches = [hmac.compare_digest(received.strip(), token) for token in self._tokens]
        if scheme.lower() != b"bearer" or not any(matches):
            raise Denied("the token was not accepted; check it with whoever runs this server")
