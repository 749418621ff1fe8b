"""Who may open a WebSocket: what is decided by the HTTP request alone, before anything of a call is read.

A page on another site can open a socket to any address that its visitor's browser reaches, so pages are let in by their
origin. Whoever is no browser sends no origin, and is asked for a token where there are any.
"""

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import NamedTuple

from websockets.datastructures import Headers
from websockets.http11 import Request

from facestream.security.tokens import TokenCheck, subprotocol_token
from facestream.transports.websocket_frames import BINARY, JSON


class Refusal(NamedTuple):
    """A plain answer of HTTP instead of a WebSocket."""

    status: HTTPStatus
    text: str


def path_of(request: Request) -> str:
    """Its path, without a query."""
    return request.path.partition("?")[0]


def wants_websocket(headers: Headers) -> bool:
    """Whether a request asks for one at all."""
    return any("websocket" in value.lower() for value in headers.get_all("Upgrade"))


def refusal_of(request: Request, paths: Iterable[str], origins: Collection[str]) -> Refusal | None:
    """Why a request for a WebSocket is turned away; `None` where it is welcome."""
    path = path_of(request)
    if path not in paths:
        return Refusal(HTTPStatus.NOT_FOUND, f"no call named {path}; there is: {', '.join(paths)}\n")
    if not _is_welcome(request.headers, origins):
        received = ", ".join(request.headers.get_all("Origin"))
        text = f"pages of {received} may not connect; list the origin in the server's setting websocket_origins\n"
        return Refusal(HTTPStatus.FORBIDDEN, text)
    if not {BINARY, JSON} & set(offered(request.headers)):
        return Refusal(HTTPStatus.BAD_REQUEST, f"offer the subprotocol {BINARY} or {JSON}\n")
    return None


def admit(check: TokenCheck, headers: Headers) -> None:
    """Raise `Denied` unless header or subprotocol carries an accepted token; one in the address counts for nothing."""
    metadata: list[tuple[str, str]] = [("authorization", value) for value in headers.get_all("Authorization")]
    token = subprotocol_token(offered(headers))
    if token is not None:
        metadata.append(("authorization", f"Bearer {token}"))
    check.admit(metadata)


def offered(headers: Headers) -> list[str]:
    """The subprotocols that a client names."""
    return [name.strip() for value in headers.get_all("Sec-WebSocket-Protocol") for name in value.split(",")]


def _is_welcome(headers: Headers, allowed: Collection[str]) -> bool:
    """Pages of this very server are, and those of the origins that the settings list."""
    hosts = headers.get_all("Host")
    return all(
        "*" in allowed or origin in allowed or origin.partition("://")[2] in hosts
        for origin in headers.get_all("Origin")
    )
