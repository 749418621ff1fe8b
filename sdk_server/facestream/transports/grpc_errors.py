"""The error tree as gRPC statuses: `google.rpc.Status` with ErrorInfo, BadRequest and RetryInfo."""

from typing import NamedTuple

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from facestream.errors import FacestreamError, InvalidValue, NotFound, PositionError

DOMAIN = "facestream"
_DETAILS_KEY = "grpc-status-details-bin"

# The message travels three times over, partly percent-encoded, in trailers that peers limit to 8 KiB; and a client may
# have sent a name of any length.
_LONGEST_BYTES = 500


class CallStatus(NamedTuple):
    """What `ServicerContext.abort` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes]]


def status_of(error: FacestreamError) -> CallStatus:
    """The status that a client receives for `error`."""
    message = _shortened(str(error))
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_facts(error))]
    if error.field is not None:
        violation = BadRequest.FieldViolation(field=error.field, description=message)
        details.append(BadRequest(field_violations=[violation]))
    if error.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(1000 * error.retry_after_s))
        details.append(retry)
    code = grpc.StatusCode[error.code]
    status = Status(code=code.value[0], message=message, details=[_packed(detail) for detail in details])
    return CallStatus(code, message, ((_DETAILS_KEY, status.SerializeToString()),))


def _facts(error: FacestreamError) -> dict[str, str]:
    if isinstance(error, InvalidValue):
        return {
            "field": error.field or "",
            "received": _shortened(str(error.received), 100),
            "allowed": _shortened(error.allowed),
        }
    if isinstance(error, PositionError):
        return {"received": str(error.received), "expected": str(error.expected)}
    if isinstance(error, NotFound):
        return {"known": _shortened(",".join(error.known))}
    return {}


def _shortened(text: str, longest_bytes: int = _LONGEST_BYTES) -> str:
    encoded = text.encode()
    if len(encoded) <= longest_bytes:
        return text
    head, tail = encoded[: longest_bytes // 2], encoded[-longest_bytes // 2 :]
    return f"{head.decode(errors='ignore')} ... {tail.decode(errors='ignore')}"


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
