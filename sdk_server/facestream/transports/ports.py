"""Ports to listen on: tried before gRPC does, whose own failure is three lines of C++ and no reason; and, where several
processes listen on the same ones, reserved by the first.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from facestream.errors import InvalidValue
from facestream.settings import Settings

CAN_BE_SHARED = sys.platform == "linux"
"""Linux spreads callers over all who listen; other systems that allow it give them to one."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients on this machine find a server."""

    settings: Settings
    port: int
    web_port: int | None
    """Of WebSockets and the viewer; `None` where the settings ask for neither."""

    @property
    def grpc(self) -> str:
        """`host:port`."""
        return self._address(self.port)

    @property
    def web(self) -> str | None:
        """`host:port`."""
        return None if self.web_port is None else self._address(self.web_port)

    @property
    def web_url(self) -> str | None:
        """What to open: the viewer's page, or the address of the WebSockets where no page is served."""
        if self.web is None:
            return None
        kind = "http" if self.settings.viewer else "ws"
        secure = "" if self.settings.tls_certificate is None else "s"
        return f"{kind}{secure}://{self.web}/"

    def _address(self, port: int) -> str:
        return endpoint({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host), port)


def endpoint(host: str, port: int) -> str:
    """`host:port`, with the brackets that an address of IPv6 needs there."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_port(host: str, port: int, field: str, *, is_shared: bool = False) -> str:
    """Raise `InvalidValue` for a port of `field` that can not be had. Returns the first address of `host`."""
    probe = _bound(host, port, field, is_shared=is_shared)
    with probe:
        return str(probe.getsockname()[0])


@contextmanager
def reserved_ports(settings: Settings) -> Iterator[Settings]:
    """The same settings with ports that are free, for processes that are going to share them.

    Raises `InvalidValue` for one that is taken.
    """
    fields = {"port": settings.port, "ace_port": settings.ace_port, "websocket_port": settings.web_port}
    found = {}
    with ExitStack() as held:
        for field, port in fields.items():
            if port is not None:
                check_port(settings.host, port, field)  # by itself: other servers may share theirs, but not with us
                found[field] = held.enter_context(_bound(settings.host, port, field, is_shared=True)).getsockname()[1]
        yield settings.model_copy(update=found)


def _bound(host: str, port: int, field: str, *, is_shared: bool) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidValue("host", repr(host), f"an address or name of this machine ({error.strerror})") from None
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        # as gRPC does: a port whose last connections are still closing is free
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        allowed = "a port that is free, or 0 for any; is another server running?"
        raise InvalidValue(field, f"{host}:{port} ({error.strerror})", allowed) from None
    return bound
