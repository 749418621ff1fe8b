"""Frames of a WebSocket as messages of `facestream.v1`: in protobuf's binary form, or in its JSON form.

One message is one frame. An empty frame says that the client has sent all, as half-close does on gRPC. A call that
fails ends with one text frame in both variants, its `google.rpc.Status` in JSON: no client needs a codec for it.
"""

from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from facestream.errors import FacestreamError, InvalidValue, MessageTooBig
from facestream.transports.incoming import CallerGone
from facestream.transports.statuses import rpc_status_of, shortened

BINARY, JSON = Subprotocol("facestream.v1.binary"), Subprotocol("facestream.v1.json")

CLIENT_CLOSES = "facestream.client-closes"
"""Offered beside the form by a client that wants to be the one who closes: it reads nothing behind a close frame."""

JSON_FACTOR = 2
"""What JSON may be longer than the binary form: audio grows by a third in base64, the rest by its names."""

_CLOSE_CODE = 4000
"""Plus the code of the status; 4000 and above are for applications (RFC 6455, 7.4.2)."""

_CLOSE_BYTES = 123
"""Longest reason that a close frame can carry."""


class Ending(NamedTuple):
    """How a call that failed is ended: a last text frame, then a close frame."""

    last_text: str
    close_code: int
    close_reason: str


def ending_of(error: FacestreamError) -> Ending:
    """The last words for `error`."""
    status = rpc_status_of(error)
    reason = shortened(f"{error.reason}: {status.message}", _CLOSE_BYTES - 5)
    return Ending(MessageToJson(status, indent=None), _CLOSE_CODE + status.code, reason)


class WebSocketCaller:
    """A connection as a `Caller`: one call each."""

    def __init__(self, connection: ServerConnection, request: type[Message], message_bytes: int) -> None:
        """`request` is the type of the client's messages."""
        host, port = connection.remote_address[:2]
        self.peer: str = f"websocket:[{host}]:{port}" if ":" in host else f"websocket:{host}:{port}"
        self._connection = connection
        self._request = request
        self._is_json = connection.subprotocol == JSON
        self._longest = message_bytes * (JSON_FACTOR if self._is_json else 1)

    async def read(self) -> Any:
        frame = await self._frame()
        return None if not frame else self._message_of(frame)

    async def read_only(self) -> Any:
        """The one message of a call that takes one; an empty frame is a message without fields."""
        frame = await self._frame()
        return None if frame is None else self._message_of(frame)

    async def write(self, message: Any) -> None:
        try:
            if self._is_json:
                await self._connection.send(
                    MessageToJson(message, indent=None, always_print_fields_with_no_presence=True)
                )
            else:
                await self._connection.send(message.SerializeToString())
        except ConnectionClosed:
            raise CallerGone from None

    async def _frame(self) -> bytes | str | None:
        try:
            frame = await self._connection.recv()
        except ConnectionClosed:
            return None
        if len(frame) > self._longest:
            allowed = f"at most {self._longest} bytes; send shorter chunks"
            raise MessageTooBig("message", f"{len(frame)} bytes", allowed)
        if isinstance(frame, str) is not self._is_json:
            if self._is_json:
                raise InvalidValue("message", "a binary frame", f"text frames; for binary ones connect with {BINARY}")
            raise InvalidValue("message", "a text frame", f"binary frames; for JSON connect with {JSON}")
        return frame

    def _message_of(self, frame: bytes | str) -> Message:
        message = self._request()
        try:
            if isinstance(frame, str):
                Parse(frame or "{}", message)
            else:
                message.ParseFromString(frame)
        except (DecodeError, ParseError) as error:
            form = f"JSON that is no message ({error})" if self._is_json else "bytes that are no message"
            raise InvalidValue("message", form, f"a {message.DESCRIPTOR.full_name}") from None
        return message
