"""Bearer tokens: `authorization: Bearer TOKEN` in the metadata of a call."""

import hmac
from collections.abc import Iterable

from facestream.errors import Denied


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
            raise Denied("no credentials; send metadata 'authorization: Bearer TOKEN'")
        value = header if isinstance(header, bytes) else header.encode()
        scheme, _, received = value.partition(b" ")
        # every token is compared, in constant time: how long it takes tells nothing about which one came close
        matches = [hmac.compare_digest(received.strip(), token) for token in self._tokens]
        if scheme.lower() != b"bearer" or not any(matches):
            raise Denied("the token was not accepted; check it with whoever runs this server")
