"""One gRPC call with its failures translated to the error tree."""

import asyncio
from typing import Any, Generic, TypeVar

import grpc

from facestream.client.status_errors import error_of
from facestream.errors import FacestreamError, OutOfOrder

_Q = TypeVar("_Q")
_A = TypeVar("_A")


class Call(Generic[_Q, _A]):
    """A bidirectional call: `write` what is asked, `read` what is answered. One writer and one reader at a time."""

    def __init__(self, call: "grpc.aio.StreamStreamCall[_Q, _A]", server: str) -> None:
        self._call = call
        self._server = server

    async def write(self, message: _Q) -> None:
        """Send; wait while the server's flow control says so. Raise what ended the call, if it has ended."""
        try:
            await self._call.write(message)
        except asyncio.InvalidStateError:
            raise await self._end() from None
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._server) from None

    async def read(self) -> _A | None:
        """The next answer; `None` once the call has ended well or was cancelled here."""
        try:
            message: Any = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._server) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._call.cancelled() and not (task and task.cancelling()):
                return None
            raise
        return None if message is grpc.aio.EOF else message

    async def half_close(self) -> None:
        """Say that nothing more will be sent."""
        if not self._call.done():
            await self._call.done_writing()

    def cancel(self) -> None:
        """End the call now; the server frees its row."""
        self._call.cancel()

    async def _end(self) -> FacestreamError:
        code = await self._call.code()
        if code == grpc.StatusCode.OK or self._call.cancelled():
            return OutOfOrder("the stream has ended; open a new one")
        initial, trailing = await self._call.initial_metadata(), await self._call.trailing_metadata()
        details = await self._call.details()
        return error_of(grpc.aio.AioRpcError(code, initial, trailing, details), self._server)
