import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from facestream.client.status_errors import error_of
from facestream.errors import Busy, FacestreamError, InvalidValue, TimeLimit, Unavailable

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "kind", "resumes"),
    [
        (Code.UNAVAILABLE, Unavailable, True),
        (Code.CANCELLED, Unavailable, True),  # by a server that was stopping when the call came
        (Code.RESOURCE_EXHAUSTED, InvalidValue, False),
        (Code.DEADLINE_EXCEEDED, TimeLimit, False),
        (Code.INTERNAL, FacestreamError, False),
    ],
)
def test_statuses_that_grpc_itself_gives(code: Code, kind: type[FacestreamError], resumes: bool) -> None:
    error = error_of(AioRpcError(code, Metadata(), Metadata(), details="as it came"), "there:50051")
    assert type(error) is kind
    assert isinstance(error, Busy) is resumes
    assert "as it came" in str(error)
