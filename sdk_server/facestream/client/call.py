"""One gRPC call with its failures translated to the error tree."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

import grpc

from facestream.client.status_errors import error_of
from facestream.errors import FacestreamError, OutOfOrder, Unavailable

_Q = TypeVar("_Q")
_A = TypeVar("_A")

_LOST = "Internal error from Core"
_STATUS_POLL_S = 0.002
_STATUS_POLLS = 250


class Call(Generic[_Q, _A]):
    """A bidirectional call: `write` what is asked, `read` what is answered. One writer and one reader at a time.

    grpc.aio (1.85) loses the status of a call that the server ends while a write is under way: the failed write puts
    its own "Internal error from Core" in its place, before or after the true one comes, and `read` then gives up
    although answers are still to come. So the true status is noted when it comes first; where it does not, a failed
    write reads on until it is there, and keeps the answers for `read`.
    """

    def __init__(self, call: "grpc.aio.StreamStreamCall[_Q, _A]", server: str) -> None:
        self._call = call
        self._server = server
        self._answers = aiter(call)
        self._unread: deque[_A] = deque()
        self._reading = asyncio.Lock()
        self.end: grpc.aio.AioRpcError | None = None
        """Status of the call, once it has ended with anything but OK."""
        self._noted: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    async def write(self, message: _Q) -> None:
        """Send; wait while the server's flow control says so. Raise what ended the call, if it has ended."""
        try:
            await self._call.write(message)
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            await self._read_to_the_end()
            raise self._failure() from None

    async def read(self) -> _A | None:
        """The next answer; `None` once the call has ended well or was cancelled here. Raise what else ended it."""
        async with self._reading:
            answer = self._unread.popleft() if self._unread else await self._next()
        if answer is None and self.end is not None:
            raise self._failure()
        return answer

    async def half_close(self) -> None:
        """Say that nothing more will be sent."""
        if not self._call.done():
            await self._call.done_writing()

    def cancel(self) -> None:
        """End the call now; the server frees its row."""
        self._call.cancel()

    async def _next(self) -> _A | None:
        """The next answer, or `None` and, unless all is well, `end`."""
        try:
            return await anext(self._answers, None)
        except grpc.aio.AioRpcError as error:
            self.end = self.end or await self._true_end(error)
            return None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._call.cancelled() and not (task and task.cancelling()):
                return None
            raise

    async def _read_to_the_end(self) -> None:
        while True:
            async with self._reading:
                if self.end is not None or (answer := await self._next()) is None:
                    return
                self._unread.append(answer)

    async def _true_end(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """The status that the server sent, which may come a moment behind the last answer."""
        for _ in range(_STATUS_POLLS):
            if error.details() != _LOST or self._noted is not None:
                break
            await asyncio.sleep(_STATUS_POLL_S)
            error = _status_of(self._call)
        return error if error.details() != _LOST or self._noted is None else self._noted

    def _note(self, call: Any) -> None:
        status = _status_of(call)
        if status.details() != _LOST:
            self._noted = self._noted or status

    def _failure(self) -> FacestreamError:
        if self.end is None:
            return OutOfOrder("the stream has ended; open a new one")
        if self.end.details() == _LOST:
            return Unavailable(f"the connection to {self._server} was lost")
        return error_of(self.end, self._server)


def _status_of(call: Any) -> grpc.aio.AioRpcError:
    """Status of a call that is done: its coroutines have nothing to wait for."""
    return grpc.aio.AioRpcError(
        _result(call.code()),
        _result(call.initial_metadata()),
        _result(call.trailing_metadata()),
        _result(call.details()),
    )


def _result(finished: Coroutine[Any, Any, Any]) -> Any:
    try:
        finished.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the call is not done")
