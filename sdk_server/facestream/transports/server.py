"""The server: a host, its gRPC services (ours and NVIDIA's) and its WebSockets, from first socket to last status.

event_loop.run(serve(Settings.load()))
"""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from facestream.audio.example import EXAMPLE
from facestream.engines.choice import EngineOptions
from facestream.errors import InvalidValue
from facestream.files.gltf_head import shipped_head_glb
from facestream.security.tls import server_credentials
from facestream.security.tokens import TokenCheck
from facestream.serving.admission import Admission
from facestream.serving.host import AnimationHost, HostState
from facestream.serving.limits import Limits
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.serving.shared_engine import SharedEngines
from facestream.serving.short_turns import take_short_turns
from facestream.settings import Settings
from facestream.timebase import FrameRate
from facestream.transports.ace_options import AceOptions
from facestream.transports.ace_service import HEARD_OUT, MESSAGE_BYTES, add_ace_services
from facestream.transports.ace_upload import UploadBudget
from facestream.transports.grpc_service import AnimationService
from facestream.transports.message_size import MessageSizeInterceptor
from facestream.transports.ports import Addresses, check_port, endpoint
from facestream.transports.senders.permission import TargetPolicy
from facestream.transports.senders.served import StreamSenders
from facestream.transports.site import Site
from facestream.transports.token_interceptor import TokenInterceptor
from facestream.transports.websocket import WebSocketGateway
from facestream.v1 import animation_service_pb2
from facestream.v1.animation_service_pb2_grpc import add_AnimationServiceServicer_to_server

log = logging.getLogger(__name__)

SERVICE = animation_service_pb2.DESCRIPTOR.services_by_name["AnimationService"].full_name

_COLLECT_AFTER = 10_000
"""New objects that make Python look for circles among them. 700, its own number, are the objects of a few dozen
messages: with 192 streams that took 3 % of the process (143 and 145 us for a hop of a stream, 140 and 140 without;
2026-11-22)."""

VIEWER = Path(__file__).resolve().parents[1] / "viewer"
"""Folder of the page that the viewer is; built from `viewer/` (docs/viewer.md)."""

_BESIDE_THE_PAGE = {"open_head.glb": shipped_head_glb(), "example.flac": EXAMPLE}

_CLOSE_S = 1.0
"""For calls that are ending when the port closes."""


def load_pipelines(settings: Settings, shared: SharedEngines | None = None) -> Sequence[Pipeline]:
    """The models that the settings name, the default one first; on engines that are `shared` where they have one."""
    engine = engine_options_of(settings)
    return [
        open_pipeline(name, engine=engine, in_own_process=settings.engine_process, shared=shared)
        for name in settings.models
    ]


def engine_options_of(settings: Settings) -> EngineOptions:
    """What the settings say of engines."""
    return EngineOptions(settings.engine, settings.engine_threads, settings.precision, settings.engine_cache)


def limits_of(settings: Settings) -> Limits:
    """Limits of every stream, from the settings."""
    return Limits(
        message_bytes=settings.max_message_bytes,
        input_bound_s=settings.input_bound_s,
        outbox_bound_s=settings.outbox_bound_s,
        start_timeout_s=settings.start_timeout_s,
        idle_timeout_s=settings.idle_timeout_s,
        max_age_s=settings.max_age_s,
        going_away_notice_s=settings.going_away_notice_s,
    )


def ace_options_of(settings: Settings) -> AceOptions:
    """What NVIDIA's interface is served with, from the settings."""
    return AceOptions(
        model=settings.ace_model,
        frame_rate=FrameRate(settings.ace_frame_rate),
        clip_bound_s=settings.ace_clip_bound_s,
        pace=settings.ace_pace,
        rests_at_end=settings.ace_rests_at_end,
    )


class Server:
    """Use it with `async with`: inside, it listens and is warm; behind, the port is closed and the engine gone."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Sequence[Pipeline]] | None = None,
        viewer: Path = VIEWER,
        now: Callable[[], float] = time.monotonic,
        admission: Admission | None = None,
        shares_ports: bool = False,
    ) -> None:
        """`load` makes the pipelines; by default the models of the settings. `viewer` is the folder of its page.

        One of several servers (`fronts`) is given its `admission`, and listens on ports that the others have, too.
        """
        self.settings = settings
        self.host = AnimationHost(
            load or (lambda: load_pipelines(settings)),
            limits_of(settings),
            admission or Admission(settings.max_streams, settings.max_clips),
            stuck_after_s=settings.stuck_after_s,
            now=now,
        )
        self.host.on_state = self._note_state
        self.senders = StreamSenders(TargetPolicy(settings.send_targets))
        self.port = 0
        """Port in use, once started."""
        self.ace_port: int | None = None
        """The second one, where the settings ask for it."""
        self.ace_uploads = UploadBudget(settings.ace_upload_bytes)
        """Audio of ACE calls that waits for the model or for its reader."""
        self._viewer = viewer
        self._shares_ports = shares_ports
        self._gateway: WebSocketGateway | None = None
        self._check = TokenCheck(token.get_secret_value() for token in settings.tokens)
        self._services: tuple[str, ...] = (SERVICE,)
        self._health = health.aio.HealthServicer()
        self._health_changes: set[asyncio.Task[None]] = set()
        self._grpc: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    @property
    def addresses(self) -> Addresses:
        """For clients on this machine, once started."""
        return Addresses(self.settings, self.port, None if self._gateway is None else self._gateway.port)

    @property
    def address(self) -> str:
        """`host:port` of gRPC."""
        return self.addresses.grpc

    @property
    def web_address(self) -> str | None:
        """`host:port` of WebSockets and the viewer; `None` where the settings ask for neither."""
        return self.addresses.web

    async def start(self) -> None:
        """Listen, then load and warm the models; callers are put off until that is done.

        Raises `InvalidValue` for a port that is taken or a TLS file that is no good, and what a bundle has against it.
        """
        self._check_port(self.settings.port, "port")
        if self.settings.ace_port is not None:
            self._check_port(self.settings.ace_port, "ace_port")
        self._grpc = self._make_grpc()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._grpc.start()
        try:
            await self._open_web()
            log.info("listening", extra={"address": self.address, "web": self.addresses.web_url})
            await self.host.start()
            self._check_ace_model()
        except BaseException:
            await self.stop()
            raise

    async def drain(self) -> None:
        """Health turns, nobody comes in, streams finish or are closed within the grace time."""
        log.info("draining", extra={"streams": len(self.host.streams), "grace_s": self.settings.drain_grace_s})
        await self.host.drain(self.settings.drain_grace_s)

    async def stop(self) -> None:
        """Close the port and end the engine; streams that are open are closed."""
        await self.host.stop()
        if self._gateway is not None:
            await self._gateway.stop()
        if self._grpc is not None:
            await self._grpc.stop(_CLOSE_S)
        await self.senders.close()
        for change in self._health_changes:
            change.cancel()

    async def _open_web(self) -> None:
        settings = self.settings
        if settings.web_port is None:
            return
        address = self._check_port(settings.web_port, "websocket_port")
        site = Site.of(self._viewer, _BESIDE_THE_PAGE) if settings.viewer else None
        gateway = WebSocketGateway(settings, self.host, self.senders, self._check, site)
        # a free port can be found for one address only
        await gateway.start(
            settings.host if settings.web_port else address, settings.web_port, shares_port=self._shares_ports
        )
        self._gateway = gateway

    def _make_grpc(self) -> grpc.aio.Server:
        settings = self.settings
        server: grpc.aio.Server = grpc.aio.server(
            interceptors=[
                *([] if self._check.is_open else [TokenInterceptor(self._check, HEARD_OUT)]),
                MessageSizeInterceptor(SERVICE, settings.max_message_bytes),
            ],
            options=[
                ("grpc.max_receive_message_length", max(settings.max_message_bytes, MESSAGE_BYTES)),
                # What is not read yet stays with the client: two seconds of 16-bit speech a stream, rather than the
                # megabytes that gRPC's own estimate lets in. This is what makes the back-pressure felt.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", 64 * 1024),
                # a second server on the port must fail rather than take half of the callers, if it is not meant to
                ("grpc.so_reuseport", int(self._shares_ports)),
                # clients ping every 20 s by default, and may every 10 s
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.enable_channelz", int(settings.channelz)),
            ],
        )
        add_AnimationServiceServicer_to_server(AnimationService(self.host, self.senders), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self._services = (SERVICE, *add_ace_services(self.host, ace_options_of(settings), self.ace_uploads, server))
        names = [*self._services, health.SERVICE_NAME]
        if settings.channelz:
            names.append(_add_channelz(server))
        if settings.reflection:
            reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        self.port = self._add_port(server, settings.port)
        if settings.ace_port is not None:
            self.ace_port = self._add_port(server, settings.ace_port)
        return server

    def _add_port(self, server: grpc.aio.Server, port: int) -> int:
        settings = self.settings
        where = endpoint(settings.host, port)
        if settings.tls_certificate is not None and settings.tls_key is not None:
            return server.add_secure_port(where, server_credentials(settings.tls_certificate, settings.tls_key))
        return server.add_insecure_port(where)

    def _check_port(self, port: int, field: str) -> str:
        return check_port(self.settings.host, port, field, is_shared=self._shares_ports)

    def _check_ace_model(self) -> None:
        known = [pipeline.model.name for pipeline in self.host.pipelines]
        if self.settings.ace_model not in ("", *known):
            allowed = f"one of {', '.join(known)}, or empty for the first; serve more with --also"
            raise InvalidValue("ace_model", repr(self.settings.ace_model), allowed)

    def _note_state(self, state: HostState) -> None:
        serving = health_pb2.HealthCheckResponse.SERVING
        status = serving if state is HostState.SERVING else health_pb2.HealthCheckResponse.NOT_SERVING
        change = asyncio.get_running_loop().create_task(self._set_health(status))
        self._health_changes.add(change)
        change.add_done_callback(self._health_changes.discard)

    async def _set_health(self, status: Any) -> None:
        for service in ("", *self._services):
            await self._health.set(service, status)


async def serve(settings: Settings, *, on_ready: Callable[[Server], None] | None = None, **options: Any) -> None:
    """Run a server with `options` until SIGTERM or SIGINT, then drain; a second signal cuts the grace time short."""
    take_short_turns()
    server = Server(settings, **options)
    signals = _signals()
    starting = asyncio.create_task(server.start())
    first = asyncio.create_task(signals.get())
    await asyncio.wait({starting, first}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()  # told to stop while still warming up
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return
    try:
        starting.result()
        # what is there now stays to the end: no later collection walks it again in the middle of somebody's word
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        if on_ready is not None:
            on_ready(server)
        log.info("stopping", extra={"signal": await first})
        second = asyncio.create_task(signals.get())
        draining = asyncio.create_task(server.drain())
        await asyncio.wait({draining, second}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, second):
            task.cancel()
    finally:
        first.cancel()
        await server.stop()


def _signals() -> "asyncio.Queue[str]":
    """Names of the signals that ask for the end, as they come."""
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[str] = asyncio.Queue()

    def note(number: int, frame: object = None) -> None:
        loop.call_soon_threadsafe(received.put_nowait, signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, note, number)
        except NotImplementedError:  # Windows
            signal.signal(number, note)
    return received


def _add_channelz(server: grpc.aio.Server) -> str:
    try:
        from grpc_channelz.v1 import channelz, channelz_pb2
    except ImportError:
        raise InvalidValue("channelz", True, "false, or: pip install 'facestream[channelz]'") from None
    channelz.add_channelz_servicer(server)
    return str(channelz_pb2.DESCRIPTOR.services_by_name["Channelz"].full_name)
