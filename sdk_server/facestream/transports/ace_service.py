"""NVIDIA's Audio2Face-3D services over grpc.aio, on the host that serves `facestream.v1`."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from facestream.errors import FacestreamError
from facestream.nvidia_ace.services.a2f_controller.v1 import a2f_controller_pb2
from facestream.nvidia_ace.services.a2f_controller.v1.a2f_controller_pb2_grpc import (
    A2FControllerServiceServicer,
    add_A2FControllerServiceServicer_to_server,
)
from facestream.nvidia_ace.services.a2x_export_config.v1 import a2x_export_config_pb2
from facestream.nvidia_ace.services.a2x_export_config.v1.a2x_export_config_pb2 import A2XConfig, ConfigsTypeRequest
from facestream.nvidia_ace.services.a2x_export_config.v1.a2x_export_config_pb2_grpc import (
    A2XExportConfigServiceServicer,
    add_A2XExportConfigServiceServicer_to_server,
)
from facestream.serving.host import AnimationHost
from facestream.transports.ace_call import AceCall, hear_out_stranger
from facestream.transports.ace_configs import config_files
from facestream.transports.ace_options import AceOptions
from facestream.transports.ace_upload import BYTES_PER_SAMPLE, LONGEST_BUFFER_S, UploadBudget
from facestream.transports.ace_wire import MAX_SAMPLE_RATE_HZ
from facestream.transports.grpc_errors import status_of

log = logging.getLogger(__name__)

CONTROLLER: str = a2f_controller_pb2.DESCRIPTOR.services_by_name["A2FControllerService"].full_name
CONFIGS: str = a2x_export_config_pb2.DESCRIPTOR.services_by_name["A2XExportConfigService"].full_name

HEARD_OUT = {f"/{CONTROLLER}/ProcessAudioStream": hear_out_stranger}
"""For the check of tokens: methods whose clients are heard out before they are refused."""

MESSAGE_BYTES = LONGEST_BUFFER_S * MAX_SAMPLE_RATE_HZ * BYTES_PER_SAMPLE + 256 * 1024
"""The longest buffer at the highest rate, and room for emotions."""

_Context = grpc.aio.ServicerContext[Any, Any]


def add_ace_services(
    host: AnimationHost, options: AceOptions, uploads: UploadBudget, server: grpc.aio.Server
) -> tuple[str, ...]:
    """Serve NVIDIA's interface beside ours; gives the names of its services."""
    add_A2FControllerServiceServicer_to_server(ControllerService(host, options, uploads), server)
    add_A2XExportConfigServiceServicer_to_server(ConfigService(host, options), server)
    return CONTROLLER, CONFIGS


class ControllerService(A2FControllerServiceServicer):
    """Speech in, animation out: every call is an `AceCall`."""

    def __init__(
        self,
        host: AnimationHost,
        options: AceOptions,
        uploads: UploadBudget,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._host = host
        self._options = options
        self._wall_clock = wall_clock
        self._uploads = uploads

    async def ProcessAudioStream(  # noqa: N802 - NVIDIA's name
        self, request_iterator: object, context: _Context
    ) -> None:
        """One clip."""
        call = AceCall(self._host, self._options, self._uploads, context, self._wall_clock)
        try:
            refusal = await call.converse()
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except grpc.aio.BaseError:
            return  # the client is gone, and a write met it before the cancellation did
        except Exception:
            log_id = secrets.token_hex(6)
            log.exception("an ACE call failed", extra={"log_id": log_id, "peer": context.peer()})
            refusal = FacestreamError(f"internal failure; the server's log names it under {log_id}")
        if refusal is not None:
            await context.abort(*status_of(refusal))


class ConfigService(A2XExportConfigServiceServicer):
    """What the server runs with."""

    def __init__(self, host: AnimationHost, options: AceOptions) -> None:
        self._host = host
        self._options = options

    async def GetConfigs(  # noqa: N802 - NVIDIA's name
        self, request: ConfigsTypeRequest, context: _Context
    ) -> AsyncIterator[A2XConfig]:
        """One file after the other."""
        try:
            files = list(config_files(self._host, self._options, request.config_type))
        except FacestreamError as error:
            await context.abort(*status_of(error))
        for file in files:
            yield file
