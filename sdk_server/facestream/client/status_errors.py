"""gRPC statuses back to the error tree: a caller of the client catches what the server raised."""

from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from facestream.errors import (
    AudioError,
    BundleError,
    Busy,
    Denied,
    EngineError,
    FacestreamError,
    Forbidden,
    InvalidValue,
    MessageTooBig,
    NotFound,
    OutOfOrder,
    PositionError,
    TimeLimit,
    Unavailable,
)

_M = TypeVar("_M", bound=Message)
_E = TypeVar("_E", bound=FacestreamError)

_BY_REASON: dict[str, type[FacestreamError]] = {
    kind.reason: kind
    for kind in (
        AudioError,
        BundleError,
        Denied,
        EngineError,
        Forbidden,
        InvalidValue,
        MessageTooBig,
        OutOfOrder,
        TimeLimit,
    )
}


def error_of(error: grpc.aio.AioRpcError, server: str) -> FacestreamError:
    """The error that the status of a call stands for. `server` is named where it could not be reached."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None
    if status is None:
        return _without_details(error, server)
    info, retry, bad = _detail(status, ErrorInfo), _detail(status, RetryInfo), _detail(status, BadRequest)
    facts = dict(info.metadata) if info else {}
    delay_s = retry.retry_delay.ToMilliseconds() / 1000 if retry else 1.0
    reason = info.reason if info else ""
    if reason == Busy.reason:
        return Busy(status.message, delay_s)
    if reason == Unavailable.reason:
        return Unavailable(status.message, delay_s)
    if reason == PositionError.reason:
        return PositionError(int(facts["received"]), int(facts["expected"]))
    if reason == NotFound.reason:
        return _as_sent(NotFound, status.message, known=facts.get("known", "").split(","))
    kind = _BY_REASON.get(reason, FacestreamError)
    if issubclass(kind, InvalidValue):
        field = bad.field_violations[0].field if bad else facts.get("field", "")
        return _as_sent(
            kind, status.message, _field=field, received=facts.get("received"), allowed=facts.get("allowed")
        )
    return kind(status.message)


def _without_details(error: grpc.aio.AioRpcError, server: str) -> FacestreamError:
    """Statuses that gRPC itself gives: no connection, a message beyond its limit, a deadline of the caller."""
    text = error.details() or error.code().name
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return Unavailable(f"no connection to {server}: {text}; is the server running there?")
    if error.code() == grpc.StatusCode.CANCELLED:  # not by this client, which does not ask for the status then
        return Unavailable(f"{server} dropped the call: {text}; it may be stopping")
    if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return InvalidValue("message", text, "the limits in StreamStarted.limits; send shorter chunks")
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeLimit(f"{server} did not answer in time: {text}")
    if error.code() == grpc.StatusCode.UNIMPLEMENTED:
        return Unavailable(f"{server} does not speak facestream.v1: {text}; check the address and its version")
    return FacestreamError(f"{server} ended the call with {error.code().name}: {text}")


def _as_sent(kind: type[_E], message: str, **attributes: object) -> _E:
    # the constructors compose the message from parts that the server may have shortened; its own words are kept instead
    error = kind.__new__(kind)
    error.args = (message,)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


def _detail(status: Status, kind: type[_M]) -> _M | None:
    for packed in status.details:
        found = kind()
        if packed.Unpack(found):
            return found
    return None
