"""Statuses as gRPC sends them."""

from typing import NamedTuple

import grpc

from facestream.errors import FacestreamError
from facestream.transports.statuses import rpc_status_of

_DETAILS_KEY = "grpc-status-details-bin"


class CallStatus(NamedTuple):
    """What `ServicerContext.abort` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes]]


def status_of(error: FacestreamError) -> CallStatus:
    """The status that a client receives for `error`."""
    status = rpc_status_of(error)
    return CallStatus(grpc.StatusCode[error.code], status.message, ((_DETAILS_KEY, status.SerializeToString()),))
