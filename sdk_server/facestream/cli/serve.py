"""`facestream serve`: the server, until SIGTERM or Ctrl-C."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.settings import Settings
from facestream.telemetry.logs import configure_logs
from facestream.transports import event_loop
from facestream.transports.fronts import serve_with_fronts
from facestream.transports.ports import Addresses
from facestream.transports.server import Server
from facestream.transports.server import serve as run_server


def serve(
    config: Annotated[Path | None, typer.Option(help="TOML file; keys are those of facestream.settings")] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one [default: 50051]")] = None,
    websocket_port: Annotated[
        int | None, typer.Option(help="WebSockets too, for browsers and engines without gRPC; 0 takes a free port")
    ] = None,
    viewer: Annotated[
        bool | None, typer.Option("--viewer", help="serve the viewer page, on port 8080 if no --websocket-port")
    ] = None,
    ace_port: Annotated[int | None, typer.Option(help="a second port for NVIDIA ACE clients; 52000 is theirs")] = None,
    ace_model: Annotated[str | None, typer.Option(help="model of NVIDIA ACE clients [default: the first]")] = None,
    model: Annotated[str | None, typer.Option(help="shipped bundle, or a bundle folder [default: live]")] = None,
    also: Annotated[list[str] | None, typer.Option(help="serve this model too; may be given more than once")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, onnx, cuda or tensorrt [default: auto]")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, fp16 (TensorRT) or int8 (CPU) [default: fp32]")] = None,
    front_processes: Annotated[
        int | None, typer.Option(help="processes that serve clients, beside one engine (Linux) [default: 1]")
    ] = None,
    max_streams: Annotated[int | None, typer.Option(help="live streams at once [default: 64]")] = None,
    reflection: Annotated[bool | None, typer.Option("--reflection", help="let tools list the services")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json [default: text]")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error [default: info]")] = None,
    print_address: Annotated[bool, typer.Option(help="print HOST:PORT (then that of WebSockets) once ready")] = False,
    check: Annotated[bool, typer.Option(help="start, become ready, stop; exit code 0: it works")] = False,
) -> None:
    """Serve animation over gRPC, and over WebSockets where asked.

    Every setting can also come from a TOML file or from FACESTREAM_* variables.
    """
    settings = Settings.load(
        config,
        host=host,
        port=port,
        websocket_port=websocket_port,
        viewer=viewer,
        ace_port=ace_port,
        ace_model=ace_model,
        model=model,
        also=tuple(also) if also else None,
        engine=engine,
        precision=precision,
        front_processes=front_processes,
        max_streams=max_streams,
        reflection=reflection,
        log_format=log_format,
        log_level=log_level,
    )
    configure_logs(settings.log_format, settings.log_level)
    console = Console(stderr=True)

    def announce(addresses: Addresses) -> None:
        if print_address:
            print(*filter(None, (addresses.grpc, addresses.web)), sep="\n", flush=True)
        else:
            models = ", ".join(settings.models)
            web = "" if addresses.web_url is None else f", and on {addresses.web_url}"
            ready = f"facestream is ready on {addresses.grpc} with {models}{web}"
            console.print(ready, highlight=False, markup=False, soft_wrap=True)

    async def start_and_stop() -> None:
        async with Server(settings) as server:
            announce(server.addresses)

    if settings.front_processes > 1:
        serve_with_fronts(settings, on_ready=announce, stop_when_ready=check)
    elif check:
        event_loop.run(start_and_stop())
    else:
        event_loop.run(run_server(settings, on_ready=lambda server: announce(server.addresses)))
