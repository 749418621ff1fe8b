"""How long a message may be, by service: one limit holds for a whole gRPC server, and NVIDIA's interface needs more."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from facestream.errors import MessageTooBig


class MessageSizeInterceptor(grpc.aio.ServerInterceptor):
    """Refuses requests of one service that are longer than its own limit, before they are parsed."""

    def __init__(self, service: str, longest_bytes: int) -> None:
        self._methods = f"/{service}/"
        self._longest_bytes = longest_bytes

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Pass the call on, with a look at the length of what it brings."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(self._methods):
            return handler
        parse, longest_bytes = handler.request_deserializer, self._longest_bytes

        def checked(data: bytes) -> Any:
            if len(data) > longest_bytes:
                allowed = f"at most {longest_bytes} bytes; send shorter chunks"
                raise MessageTooBig("message", f"{len(data)} bytes", allowed)
            return parse(data)

        return handler._replace(request_deserializer=checked)
