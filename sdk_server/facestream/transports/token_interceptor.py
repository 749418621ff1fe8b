"""Checks the bearer token of every call, before anything of it is read."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc

from facestream.errors import Denied
from facestream.security.tokens import TokenCheck
from facestream.transports.grpc_errors import status_of

_OPEN_TO_ALL = "/grpc.health.v1.Health/"
"""Load balancers ask without credentials."""


HearOut = Callable[[Any], Awaitable[None]]
"""Takes a call's context and reads what its client still has to say."""


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without an accepted token; health checks pass."""

    def __init__(self, check: TokenCheck, hear_out: Mapping[str, HearOut]) -> None:
        """`hear_out` names methods whose clients lose the reason of a refusal unless they are heard out first."""
        self._check = check
        self._hear_out = hear_out

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Pass the call on, or answer it with the refusal."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_OPEN_TO_ALL):
            return handler
        try:
            self._check.admit(handler_call_details.invocation_metadata)
        except Denied as error:
            return _refusing(handler, error, self._hear_out.get(handler_call_details.method))
        return handler


def _refusing(handler: Any, error: Denied, hear_out: HearOut | None) -> Any:
    status = status_of(error)

    async def refuse(_: object, context: Any) -> None:
        if hear_out is not None:
            await hear_out(context)
        await context.abort(*status)

    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(refuse, handler.request_deserializer)
    return grpc.unary_unary_rpc_method_handler(refuse)
