"""`facestream doctor`: what works on this machine, what does not, and what to do about it."""

import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import typer
from rich.console import Console
from rich.markup import escape

from facestream import __version__
from facestream.audio.resample import MODEL_RATE_HZ
from facestream.engines.bundle import list_bundles, open_bundle
from facestream.engines.choice import ONNX, TENSORRT, Backend, EngineOptions, open_cuda, open_onnx, open_tensorrt
from facestream.engines.tensorrt_library import installed_libraries
from facestream.errors import EngineUnavailable, FacestreamError
from facestream.head_mesh import open_head
from facestream.retarget.profile import load_profile
from facestream.serving.pipelines import open_pipeline
from facestream.settings import Settings

LIBRARIES = ("numpy", "onnxruntime", "grpcio", "protobuf", "websockets", "soundfile")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `is_fatal` findings make the command exit with 1."""

    subject: str
    text: str
    is_ok: bool = True
    is_fatal: bool = False


def doctor() -> None:
    """Check this installation and print a report; exits with 1 when something essential does not work."""
    console = Console()
    has_failed = False
    for finding in findings():
        mark = "[green]ok[/]  " if finding.is_ok else ("[red]fail[/]" if finding.is_fatal else "[yellow]note[/]")
        console.print(f"{mark}  {finding.subject:<16} {escape(finding.text)}", highlight=False, soft_wrap=True)
        has_failed |= finding.is_fatal
    if has_failed:
        raise typer.Exit(1)


def findings() -> Iterator[Finding]:
    """Every check, in the order in which the server needs the parts."""
    yield Finding("facestream", f"{__version__}, Python {platform.python_version()} at {sys.prefix}")
    yield Finding("machine", f"{platform.system()} {platform.machine()}, {_core_count()} cores")
    yield Finding("libraries", ", ".join(f"{name} {_version(name)}" for name in LIBRARIES))
    yield _checked("head", _head)
    for name in list_bundles():
        yield _checked(f"model {name}", partial(_model, name))
    yield from _engines()
    settings = Settings.load()
    yield _port(settings.port, "--port")
    if settings.web_port is not None:
        yield _port(settings.web_port, "--websocket-port")


def _checked(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, check())
    except FacestreamError as error:
        return Finding(subject, str(error), is_ok=False, is_fatal=True)


def _head() -> str:
    mesh, profile = open_head(), load_profile()
    return f"open head, {len(mesh.template)} vertices, digest {profile.head_digest[:12]}"


def _model(name: str) -> str:
    pipeline = open_pipeline(name)
    pipeline.warm_up()
    shown = ", ".join(f"{rows} rows {1000 * pipeline.cost_s(rows):.1f} ms" for rows in (1, 8, 64))
    model = pipeline.model
    return f"{model.version}: a step of {1000 * model.hop_samples // MODEL_RATE_HZ} ms takes {shown}"


def _engines() -> Iterator[Finding]:
    """Every engine, usable or why not; none of them is needed beside the one on the CPU."""
    yield _usable("onnx", lambda: open_onnx(EngineOptions(ONNX)))
    yield _usable("cuda", _open_live_with_cuda)
    for library in installed_libraries():
        kinds = ", ".join(f"{major}.{minor}" for major, minor in library.capabilities)
        yield Finding(library.flavour, f"version {library.version}" + (f", for devices of {kinds}" if kinds else ""))
    yield _usable("tensorrt", lambda: open_tensorrt(EngineOptions(TENSORRT)))


def _open_live_with_cuda() -> Backend:
    backend = open_cuda()
    backend.open_live(open_bundle("live"))  # ONNX Runtime looks for a device only now
    return backend


def _usable(name: str, open_engine: Callable[[], Backend]) -> Finding:
    try:
        return Finding(f"engine {name}", f"usable: {open_engine().told}")
    except EngineUnavailable as error:
        return Finding(f"engine {name}", f"not usable: {error}", is_ok=False)


def _port(port: int, option: str) -> Finding:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            advice = f"taken; 'facestream serve {option} 0' takes a free one"
            return Finding(f"port {port}", advice, is_ok=False, is_fatal=False)
    return Finding(f"port {port}", "free")


def _core_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
