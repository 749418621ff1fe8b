"""Calls over a real WebSocket, as the tests of gRPC make theirs."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from facestream.v1.animation_service_pb2 import AnimateResponse

BINARY, JSON = "facestream.v1.binary", "facestream.v1.json"
SERVICE = "facestream.v1.AnimationService"


def token_subprotocol(token: str) -> str:
    return "facestream.token." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


@dataclass
class WebCall:
    """One connection. `read` gives messages; `None` at the end, with what ended it in `status` and `close_code`."""

    connection: ClientConnection
    response: type[Message]
    status: Mapping[str, Any] | None = None
    answers: list[Any] = field(default_factory=list)

    @property
    def is_json(self) -> bool:
        return self.connection.subprotocol == JSON

    @property
    def close_code(self) -> int | None:
        return self.connection.close_code

    @property
    def close_reason(self) -> str | None:
        return self.connection.close_reason

    def detail(self, kind: str) -> Mapping[str, Any]:
        assert self.status is not None
        return next(one for one in self.status["details"] if one["@type"] == f"type.googleapis.com/google.rpc.{kind}")

    async def write(self, message: Message) -> None:
        await self.connection.send(MessageToJson(message) if self.is_json else message.SerializeToString())

    async def finish(self) -> None:
        await self.connection.send("" if self.is_json else b"")

    async def read(self) -> Any:
        try:
            frame = await self.connection.recv()
        except ConnectionClosed:
            return None
        if isinstance(frame, str):
            said = json.loads(frame)
            if "code" in said:
                self.status = said
                return await self.read()
            return Parse(frame, self.response())
        return self.response.FromString(frame)

    async def read_all(self) -> list[Any]:
        while (answer := await self.read()) is not None:
            self.answers.append(answer)
        return self.answers


@contextlib.asynccontextmanager
async def web_call(
    address: str | None,
    method: str = "Animate",
    *,
    response: type[Message] = AnimateResponse,
    variant: str = BINARY,
    more_protocols: Sequence[str] = (),
    **options: Any,
) -> AsyncIterator[WebCall]:
    """A call to `address`; `options` are those of `websockets.connect`."""
    protocols = [Subprotocol(name) for name in (variant, *more_protocols)]
    url = f"ws://{address}/{SERVICE}/{method}"
    async with connect(url, subprotocols=protocols, compression=None, max_size=None, **options) as connection:
        yield WebCall(connection, response)


async def web_converse(call: WebCall, *requests: Message | str | bytes, finish: bool = True) -> list[Any]:
    """Send everything and say so, while reading to the end. Strings and bytes are sent as frames of their own."""

    async def send() -> None:
        with contextlib.suppress(ConnectionClosed):  # refused before everything was sent
            for request in requests:
                if isinstance(request, Message):
                    await call.write(request)
                else:
                    await call.connection.send(request)
            if finish:
                await call.finish()

    sending = asyncio.create_task(send())
    try:
        return await call.read_all()
    finally:
        await sending
