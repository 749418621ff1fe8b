"""`facestream.v1.AnimationService` over grpc.aio."""

from collections.abc import Awaitable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError

from facestream.errors import FacestreamError, InvalidValue
from facestream.serving.host import AnimationHost
from facestream.transports.conversation import converse, with_known_failure
from facestream.transports.grpc_errors import status_of
from facestream.transports.incoming import CallerGone
from facestream.transports.reference_clip import hear_reference
from facestream.transports.senders.served import StreamSenders
from facestream.transports.wire import heard_of, models_of
from facestream.v1.animation_service_pb2 import (
    AnimateClipResponse,
    AnimateResponse,
    HearEmotionResponse,
    ListModelsRequest,
    ListModelsResponse,
)
from facestream.v1.animation_service_pb2_grpc import AnimationServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]

_T = TypeVar("_T")


class AnimationService(AnimationServiceServicer):
    """Each method is a call of `conversation` or `reference_clip`, carried by gRPC."""

    def __init__(self, host: AnimationHost, senders: StreamSenders) -> None:
        self._host = host
        self._senders = senders

    async def Animate(self, request_iterator: object, context: Context) -> None:  # noqa: N802 - gRPC's name
        """A live stream."""
        await _refusing(context, self._conversation(context, AnimateResponse, is_clip=False))

    async def AnimateClip(self, request_iterator: object, context: Context) -> None:  # noqa: N802 - gRPC's name
        """A whole recording."""
        await _refusing(context, self._conversation(context, AnimateClipResponse, is_clip=True))

    async def ListModels(  # noqa: N802 - gRPC's name
        self, request: ListModelsRequest, context: Context
    ) -> ListModelsResponse:
        """What this server can do."""
        return await _refusing(context, self._models())

    async def HearEmotion(  # noqa: N802 - gRPC's name
        self, request_iterator: object, context: Context
    ) -> HearEmotionResponse:
        """The emotion of a reference clip."""
        return heard_of(await _refusing(context, hear_reference(self._host, GrpcCaller(context))))

    async def _models(self) -> ListModelsResponse:
        return models_of(self._host.models())

    def _conversation(self, context: Context, response: type[Any], *, is_clip: bool) -> Awaitable[None]:
        return converse(self._host, GrpcCaller(context), response, is_clip=is_clip, senders=self._senders)


class GrpcCaller:
    """A call of grpc.aio as a `Caller`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.peer: str = context.peer()

    async def read(self) -> Any:
        try:
            message = await self._context.read()
        except DecodeError:
            raise InvalidValue("message", "bytes that are no message", "a facestream.v1 request") from None
        return None if message is grpc.aio.EOF else message

    async def write(self, message: Any) -> None:
        try:
            await self._context.write(message)
        except grpc.aio.BaseError:
            raise CallerGone from None


async def _refusing(context: Context, conversation: Awaitable[_T]) -> _T:
    """The outcome of a call, or its status where it failed."""
    try:
        return await with_known_failure(conversation, context.peer())
    except FacestreamError as error:
        await _abort(context, error)


async def _abort(context: Context, error: FacestreamError) -> NoReturn:
    await context.abort(*status_of(error))
    raise AssertionError("abort does not return")
