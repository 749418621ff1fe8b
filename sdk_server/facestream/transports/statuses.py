"""The error tree as `google.rpc.Status` with ErrorInfo, BadRequest and RetryInfo: what every transport sends."""

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from facestream.errors import FacestreamError, InvalidValue, NotFound, PositionError

DOMAIN = "facestream"

# The message travels three times over, over gRPC partly percent-encoded in trailers that peers limit to 8 KiB; and a
# client may have sent a name of any length.
_LONGEST_BYTES = 500


def rpc_status_of(error: FacestreamError) -> Status:
    """What a client is told of `error`."""
    message = shortened(str(error), _LONGEST_BYTES)
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_facts(error))]
    if error.field is not None:
        violation = BadRequest.FieldViolation(field=error.field, description=message)
        details.append(BadRequest(field_violations=[violation]))
    if error.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(1000 * error.retry_after_s))
        details.append(retry)
    return Status(code=Code.Value(error.code), message=message, details=[_packed(detail) for detail in details])


def shortened(text: str, longest_bytes: int) -> str:
    """`text` without its middle where it is longer than `longest_bytes` of UTF-8."""
    encoded = text.encode()
    if len(encoded) <= longest_bytes:
        return text
    head, tail = encoded[: longest_bytes // 2], encoded[-longest_bytes // 2 :]
    return f"{head.decode(errors='ignore')} ... {tail.decode(errors='ignore')}"


def _facts(error: FacestreamError) -> dict[str, str]:
    if isinstance(error, InvalidValue):
        return {
            "field": error.field or "",
            "received": shortened(str(error.received), 100),
            "allowed": shortened(error.allowed, _LONGEST_BYTES),
        }
    if isinstance(error, PositionError):
        return {"received": str(error.received), "expected": str(error.expected)}
    if isinstance(error, NotFound):
        return {"known": shortened(",".join(error.known), _LONGEST_BYTES)}
    return {}


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
