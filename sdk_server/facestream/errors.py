"""Every failure a user can meet, in one tree.

    FacestreamError            anything below
    ├── InvalidValue           a field, option or file value out of its range
    ├── AudioError             audio that can not be read or used
    ├── MessageTooBig          a message beyond the limit of its transport
    ├── OutOfOrder             a message at the wrong time: audio before config, a second config
    ├── PositionError          a sample position that goes back
    ├── NotFound               no model, style, curve set or file of that name
    ├── Busy                   no free row, a queue at its limit: try again later
    ├── Unavailable            warming up or draining: try again elsewhere or later
    ├── TimeLimit              idle, start or age limit of a stream
    ├── Denied                 no or bad credentials
    ├── Forbidden              something that the server's settings do not allow
    ├── BundleError            a bundle that is truncated, changed or of another version
    ├── EngineUnavailable      an engine that can not work here: no driver, no device, a library that is missing
    └── EngineError            the engine failed for this row

Each class knows its gRPC status code (by name, so that this file needs no grpc) and a stable upper-case reason.
Messages name the value received, what is allowed, and the next step.
"""

from collections.abc import Iterable
from typing import Any


class FacestreamError(Exception):
    """Base of the tree; catch it to catch everything this package raises on purpose."""

    code = "INTERNAL"
    reason = "INTERNAL"

    @property
    def field(self) -> str | None:
        """Name of the offending field, where one is to blame."""
        return None

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which trying again may help; `None` where it does not."""
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        # from an engine's process; Python would call the class with the message alone
        return _arrived, (type(self), self.args, self.__dict__)


def _arrived(kind: type[FacestreamError], words: tuple[Any, ...], facts: dict[str, Any]) -> FacestreamError:
    error = kind.__new__(kind, *words)
    error.__dict__.update(facts)
    return error


class InvalidValue(FacestreamError):
    """Raised at the border for a value out of its range: `field`, what came, what is allowed."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_VALUE"

    def __init__(self, field: str, received: object, allowed: str) -> None:
        super().__init__(f"{field}: got {received}; allowed: {allowed}")
        self._field = field
        self.received = received
        self.allowed = allowed

    @property
    def field(self) -> str | None:
        return self._field


class AudioError(InvalidValue):
    """Raised for audio that can not be read or used: empty, not audio, NaN samples, odd byte counts."""

    reason = "BAD_AUDIO"


class MessageTooBig(InvalidValue):
    """Raised for a message beyond the limit of its service."""

    code = "RESOURCE_EXHAUSTED"
    reason = "MESSAGE_TOO_BIG"


class OutOfOrder(FacestreamError):
    """Raised for a message at the wrong time, for example audio before config."""

    code = "FAILED_PRECONDITION"
    reason = "OUT_OF_ORDER"


class PositionError(FacestreamError):
    """Raised when a position lies before audio already received."""

    code = "OUT_OF_RANGE"
    reason = "POSITION_WENT_BACK"

    def __init__(self, received: int, expected: int, field: str = "audio.first_sample") -> None:
        super().__init__(
            f"{field}: got {received}, but samples up to {expected} were already received; "
            f"send {expected} or later, or leave the field unset"
        )
        self._field = field
        self.received = received
        self.expected = expected

    @property
    def field(self) -> str | None:
        return self._field


class NotFound(FacestreamError):
    """Raised for an unknown name; the message lists the names that exist."""

    code = "NOT_FOUND"
    reason = "UNKNOWN_NAME"

    def __init__(self, kind: str, received: str, known: Iterable[str]) -> None:
        self.known = sorted(known)
        super().__init__(f"no {kind} named {received!r}; there is: {', '.join(self.known) or 'none'}")


class Busy(FacestreamError):
    """Raised at admission when every row is taken or a queue is at its limit."""

    code = "RESOURCE_EXHAUSTED"
    reason = "BUSY"

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self._retry_after_s = retry_after_s

    @property
    def retry_after_s(self) -> float | None:
        return self._retry_after_s


class Unavailable(Busy):
    """Raised while the server warms up or drains."""

    code = "UNAVAILABLE"
    reason = "UNAVAILABLE"


class TimeLimit(FacestreamError):
    """Raised when a stream exceeds its start, idle or age limit."""

    code = "DEADLINE_EXCEEDED"
    reason = "TIME_LIMIT"


class Denied(FacestreamError):
    """Raised for missing or wrong credentials."""

    code = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"


class Forbidden(FacestreamError):
    """Raised for what a server could do, and its settings do not allow; the message names the setting."""

    code = "PERMISSION_DENIED"
    reason = "FORBIDDEN"


class BundleError(FacestreamError):
    """Raised while a bundle is opened: missing or unknown keys, wrong hash, truncated graph."""

    code = "INTERNAL"
    reason = "BAD_BUNDLE"


class EngineUnavailable(FacestreamError):
    """Raised where an engine can not work on this machine, or not with this model; another engine may."""

    code = "FAILED_PRECONDITION"
    reason = "ENGINE_UNAVAILABLE"


class EngineError(FacestreamError):
    """Raised for the rows of a step that the engine could not compute."""

    code = "INTERNAL"
    reason = "ENGINE_FAILED"
