"""A caller as the conversation sees it, and the first message that every call begins with."""

import asyncio
from typing import Any, Protocol

from facestream.errors import OutOfOrder, TimeLimit


class CallerGone(Exception):
    """The client has left; there is nobody to tell."""


class Caller(Protocol):
    """One call over one transport. One task reads while another writes."""

    peer: str
    """Where the client is, for the log."""

    async def read(self) -> Any:
        """The client's next message; `None` when it has sent all, and when it is gone (cancellation follows).

        Raises `InvalidValue` for what is no message.
        """

    async def write(self, message: Any) -> None:
        """Send; wait while the client does not read. Raises `CallerGone`."""


async def first_config(caller: Caller, timeout_s: float) -> Any:
    """The `config` that every call begins with. Raises `TimeLimit`, `OutOfOrder`, `InvalidValue`."""
    try:
        async with asyncio.timeout(timeout_s):
            first = await caller.read()
    except TimeoutError:
        raise TimeLimit(f"no first message within {timeout_s:g} s; send 'config' when the call opens") from None
    if first is None or first.WhichOneof("kind") != "config":
        received = "nothing" if first is None else first.WhichOneof("kind") or "an empty message"
        raise OutOfOrder(f"the first message was {received}; send 'config' first")
    return first.config
