"""Servers that say what they are told to, whatever they hear: other versions, other curves, frames in a wrong order."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from facestream.curves import ARKIT_NAMES
from facestream.v1.animation_service_pb2 import AnimateResponse
from facestream.v1.animation_service_pb2_grpc import (
    AnimationServiceServicer,
    add_AnimationServiceServicer_to_server,
)
from facestream.v1.frames_pb2 import FrameRun
from facestream.v1.stream_started_pb2 import StreamStarted

OPENED = 0.5
"""Of every curve in every frame of theirs."""


def started(names: Sequence[str] = ARKIT_NAMES) -> AnimateResponse:
    """The first answer of a call: 30 frames a second of these curves."""
    answer = AnimateResponse(started=StreamStarted(curve_names=names))
    answer.started.frame_rate.numerator = 30
    answer.started.limits.chunk_samples = 16000
    return answer


def run(first: int, count: int, curves: int = 52) -> AnimateResponse:
    """Frames from the index `first` on."""
    weights = [OPENED] * (count * curves)
    return AnimateResponse(frames=FrameRun(first_frame_index=first, frame_count=count, weights=weights))


FAULTS: Mapping[str, Sequence[AnimateResponse] | None] = {
    "other service": None,
    "other version": [run(0, 1)],
    "a curve less": [started(ARKIT_NAMES[:-1])],
    "another curve": [started((*ARKIT_NAMES[:-1], "earWiggle"))],
    "narrow frames": [started(), run(0, 1, curves=51)],
    "out of order": [started(), run(0, 9), run(4, 2)],
}
"""What each server answers; nothing where it has no such service at all."""


@asynccontextmanager
async def grpc_server(answers: Sequence[AnimateResponse] | None) -> AsyncIterator[str]:
    """Its address, `host:port`."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")

    class Scripted(AnimationServiceServicer):
        async def Animate(self, request_iterator: Any, context: Any) -> AsyncIterator[AnimateResponse]:  # noqa: N802
            for answer in answers or ():
                yield answer
            async for _ in request_iterator:
                pass

    if answers is not None:
        add_AnimationServiceServicer_to_server(Scripted(), server)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def websocket_server(answers: Sequence[AnimateResponse]) -> AsyncIterator[str]:
    """Its address, `ws://host:port`."""

    async def answer(connection: ServerConnection) -> None:
        await connection.recv()
        for one in answers:
            await connection.send(one.SerializeToString())
        await connection.wait_closed()

    async with serve(answer, "127.0.0.1", 0, subprotocols=[Subprotocol("facestream.v1.binary")]) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
