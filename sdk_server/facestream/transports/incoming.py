"""What a client sends, message by message."""

import asyncio
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from facestream.errors import InvalidValue, OutOfOrder, TimeLimit

Context = grpc.aio.ServicerContext[Any, Any]


async def next_message(context: Context) -> Any:
    """The client's next message; `None` at half-close, and when the client is gone (cancellation follows)."""
    try:
        message = await context.read()
    except DecodeError:
        raise InvalidValue("message", "bytes that are no message", "a facestream.v1 request") from None
    return None if message is grpc.aio.EOF else message


async def first_config(context: Context, timeout_s: float) -> Any:
    """The `config` that every call begins with. Raises `TimeLimit`, `OutOfOrder`, `InvalidValue`."""
    try:
        async with asyncio.timeout(timeout_s):
            first = await next_message(context)
    except TimeoutError:
        raise TimeLimit(f"no first message within {timeout_s:g} s; send 'config' when the call opens") from None
    if first is None or first.WhichOneof("kind") != "config":
        received = "nothing" if first is None else first.WhichOneof("kind") or "an empty message"
        raise OutOfOrder(f"the first message was {received}; send 'config' first")
    return first.config
