"""The calls of `facestream.v1` over WebSockets, and a page over HTTP on the same port: for browsers, and engines
without gRPC. See docs/websocket.md.

A connection is one call; its path is the one that gRPC uses.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from google.protobuf.message import Message
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from facestream.errors import Busy, FacestreamError, TimeLimit
from facestream.security.tls import server_context
from facestream.security.tokens import TokenCheck
from facestream.serving.host import AnimationHost
from facestream.settings import Settings
from facestream.transports.conversation import converse, with_known_failure
from facestream.transports.incoming import CallerGone
from facestream.transports.reference_clip import hear_reference
from facestream.transports.senders.served import StreamSenders
from facestream.transports.site import Answer, Site, plain_answer
from facestream.transports.websocket_door import admit, offered, path_of, refusal_of, wants_websocket
from facestream.transports.websocket_frames import BINARY, CLIENT_CLOSES, JSON, WebSocketCaller, ending_of
from facestream.transports.wire import heard_of, models_of
from facestream.v1 import animation_service_pb2 as messages

log = logging.getLogger(__name__)

_STOP_S = 1.0
"""For calls that are ending when the port closes."""

_SOCKET_BYTES = 64 * 1024
"""What the system keeps of a connection each way: as much as gRPC reads ahead, so that back-pressure is felt."""

_QUEUE_FRAMES = 8
"""Frames taken from the socket before the stream asks for them."""

_CLOSES_WITHIN_S = 5.0
"""For a client that wants to close: longer than any picture takes, and no longer."""

_PING_S = 20.0
"""So that proxies keep a quiet connection. A pong is not waited for: it comes behind all the audio of an upload."""

_SERVICE = messages.DESCRIPTOR.services_by_name["AnimationService"].full_name

# what garbage on the port does to the library; what matters is logged here
_LIBRARY_LOG = logging.getLogger("websockets.facestream")
_LIBRARY_LOG.setLevel(logging.CRITICAL)


class _Method(NamedTuple):
    request: type[Message]
    answer: Callable[[AnimationHost, WebSocketCaller, StreamSenders], Awaitable[None]]


async def _animate(host: AnimationHost, caller: WebSocketCaller, senders: StreamSenders) -> None:
    await converse(host, caller, messages.AnimateResponse, is_clip=False, senders=senders)


async def _animate_clip(host: AnimationHost, caller: WebSocketCaller, senders: StreamSenders) -> None:
    await converse(host, caller, messages.AnimateClipResponse, is_clip=True, senders=senders)


async def _hear_emotion(host: AnimationHost, caller: WebSocketCaller, senders: StreamSenders) -> None:
    await caller.write(heard_of(await hear_reference(host, caller)))


async def _list_models(host: AnimationHost, caller: WebSocketCaller, senders: StreamSenders) -> None:
    timeout_s = host.limits.start_timeout_s
    try:
        async with asyncio.timeout(timeout_s):
            await caller.read_only()
    except TimeoutError:
        raise TimeLimit(f"no message within {timeout_s:g} s; send an empty ListModelsRequest") from None
    await caller.write(models_of(host.models()))


_METHODS = {
    f"/{_SERVICE}/Animate": _Method(messages.AnimateRequest, _animate),
    f"/{_SERVICE}/AnimateClip": _Method(messages.AnimateClipRequest, _animate_clip),
    f"/{_SERVICE}/HearEmotion": _Method(messages.HearEmotionRequest, _hear_emotion),
    f"/{_SERVICE}/ListModels": _Method(messages.ListModelsRequest, _list_models),
}


class WebSocketGateway:
    """Listens beside gRPC, in the same process and for the same host."""

    def __init__(
        self, settings: Settings, host: AnimationHost, senders: StreamSenders, check: TokenCheck, site: Site | None
    ) -> None:
        """`site` is what HTTP serves; without it there are WebSockets only."""
        self.port = 0
        """Port in use, once started."""
        self._settings = settings
        self._host = host
        self._senders = senders
        self._check = check
        self._site = site
        self._connections: set[ServerConnection] = set()
        self._server: Server | None = None

    async def start(self, address: str, port: int, *, shares_port: bool = False) -> None:
        """Listen on an address that is known to be free, with others where it `shares_port`.

        Raises `InvalidValue` for a TLS file that is no good.
        """
        settings = self._settings
        tls = None
        if settings.tls_certificate is not None and settings.tls_key is not None:
            tls = server_context(settings.tls_certificate, settings.tls_key)
        self._server = await serve(
            self._answer,
            address,
            port,
            reuse_port=shares_port or None,
            ssl=tls,
            start_serving=False,
            compression=None,  # audio and weights hardly shrink, and it costs more than all the rest
            subprotocols=[BINARY, JSON],
            process_request=self._admit,
            server_header=None,
            open_timeout=settings.start_timeout_s,
            ping_interval=_PING_S,
            ping_timeout=None,
            # what a client has not read is lost when its connection is cut, and a page can be busy for long
            close_timeout=settings.idle_timeout_s,
            # up to here a message is refused in words, beyond it the library drops the connection (close code 1009)
            max_size=4 * settings.max_message_bytes,
            max_queue=_QUEUE_FRAMES,
            write_limit=_SOCKET_BYTES // 2,
            logger=_LIBRARY_LOG,
        )
        sockets = self._server.sockets
        for listening in sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        self.port = sockets[0].getsockname()[1]
        await self._server.start_serving()

    async def stop(self) -> None:
        """Close the port; calls that are ending may say so."""
        if self._server is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while self._connections:  # noqa: ASYNC110 - calls end in many ways; a poll costs less than their signals
                    await asyncio.sleep(0.01)
        self._server.close()
        for connection in self._connections:
            connection.transport.abort()
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if not wants_websocket(request.headers):
            return _response_of(self._page(request))
        refusal = refusal_of(request, _METHODS, self._settings.websocket_origins)
        return None if refusal is None else _response_of(plain_answer(*refusal))

    def _page(self, request: Request) -> Answer:
        if self._site is None:
            text = "WebSockets only; 'facestream serve --viewer' serves a page here\n"
            return plain_answer(HTTPStatus.UPGRADE_REQUIRED, text, Upgrade="websocket")
        return self._site.answer(request.method, request.path)

    async def _answer(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        try:
            await self._answer_or_refuse(connection)
        finally:
            self._connections.discard(connection)

    async def _answer_or_refuse(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        method = _METHODS[path_of(connection.request)]
        caller = WebSocketCaller(connection, method.request, self._host.limits.message_bytes)
        call = asyncio.create_task(with_known_failure(self._call(connection, method, caller), caller.peer))
        leaving = asyncio.create_task(connection.wait_closed())
        await asyncio.wait({call, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not call.done():
            call.cancel()  # nobody is there to be told
            await asyncio.wait({call})
        leaving.cancel()
        error = None if call.cancelled() else call.exception()
        if call.cancelled() or isinstance(error, CallerGone):
            connection.transport.abort()  # the client has left, or the host has hung up on one that reads nothing
        elif error is None:
            await self._close(connection, 1000, "")
        else:
            assert isinstance(error, FacestreamError)
            last_text, code, reason = ending_of(error)
            await self._close(connection, code, reason, last_text)

    async def _call(self, connection: ServerConnection, method: _Method, caller: WebSocketCaller) -> None:
        assert connection.request is not None
        admit(self._check, connection.request.headers)
        limit = self._settings.websocket_connections
        if len(self._connections) > limit:
            raise Busy(f"all {limit} WebSockets are taken; try again, or another server")
        await method.answer(self._host, caller, self._senders)

    async def _close(self, connection: ServerConnection, code: int, reason: str, last_text: str | None = None) -> None:
        """Say the last words; what the client still sends is thrown away, so that it can be read to its close frame."""
        assert connection.request is not None
        discarding = asyncio.create_task(_discard(connection))
        try:
            async with asyncio.timeout(self._settings.idle_timeout_s):
                if last_text is not None:
                    await connection.send(last_text)
                if CLIENT_CLOSES in offered(connection.request.headers):
                    await connection.send("" if connection.subprotocol == JSON else b"")
                    await asyncio.wait({discarding}, timeout=_CLOSES_WITHIN_S)
                await connection.close(code, reason)
        except (TimeoutError, ConnectionClosed):
            connection.transport.abort()
        finally:
            discarding.cancel()


async def _discard(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.recv()


def _response_of(answer: Answer) -> Response:
    headers = Headers({**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"})
    return Response(answer.status.value, answer.status.phrase, headers, answer.body)
