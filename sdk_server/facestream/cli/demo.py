"""`facestream demo`: the whole product on one clip, and where to look at what it made."""

import asyncio
import os
import subprocess
import sys
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress

from facestream.audio.example import EXAMPLE
from facestream.audio.files import read_audio
from facestream.cli.live_session import LiveTake, stream_live
from facestream.cli.live_table import LiveTable
from facestream.cli.phones import read_phones
from facestream.cli.stream import report
from facestream.client import AsyncClient, StreamOptions, at_live_pace
from facestream.errors import NotFound, Unavailable
from facestream.files.formats import write_take
from facestream.preview.contact_sheet import write_contact_sheet
from facestream.timebase import FrameRate
from facestream.types import Float32

RATE = FrameRate(30)
TILE_COUNT = 18
SEED = 1
"""Fixed, so that two demos of one clip blink alike and can be compared."""


def demo(
    clip: Annotated[Path, typer.Option(help="another recording to show")] = EXAMPLE,
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for the results")] = Path("demo"),
    browser: Annotated[
        bool | None, typer.Option(help="then open the viewer, until Ctrl+C [default: on a terminal with a display]")
    ] = None,
) -> None:
    """Stream real speech to a server of its own at live pace and leave a talking face: CSV, GLB, contact sheet.

    Where somebody can look at it, the viewer is opened then: the same face in a browser, for your own voice.
    """
    console = Console()
    if not clip.exists():
        raise NotFound("recording", str(clip), [str(EXAMPLE)] if EXAMPLE.exists() else [])
    pcm, rate_hz = read_audio(clip)
    output.mkdir(parents=True, exist_ok=True)
    opens = _can_show(os.environ, is_terminal=sys.stdout.isatty()) if browser is None else browser
    with running_server(console, with_page=opens) as server:
        console.print(
            f"server on {server.address}; streaming {clip.name}, {len(pcm) / rate_hz:.1f} s at live pace", markup=False
        )
        take = asyncio.run(_stream(console, server.address, pcm, rate_hz, clip.name))
        report(console, take)
        _write(console, take, clip, output, pcm, rate_hz)
        if server.page is not None:
            _show_page(console, server.page, server.process)
    if not opens:
        console.print("talk to it in a browser:  facestream serve --viewer", highlight=False, markup=False)


def _can_show(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether somebody sits here and has a screen: a demo that nobody watches ends by itself."""
    if not is_terminal or environment.get("CI"):
        return False
    if sys.platform in ("win32", "darwin"):
        return "SSH_CONNECTION" not in environment
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _show_page(console: Console, page: str, process: "subprocess.Popen[str]") -> None:
    """Open the viewer and serve it until Ctrl+C. Raises `Unavailable` if the server ends before."""
    with suppress(KeyboardInterrupt):
        opened = webbrowser.open(page)
        told = "talk to it in your browser" if opened else "no browser could be started; open this in one"
        console.print(f"{told}:  {page}  (Ctrl+C ends)", highlight=False, markup=False, soft_wrap=True)
        raise Unavailable(f"the server has ended (exit code {process.wait()}); start the demo again")


def _write(console: Console, take: LiveTake, clip: Path, output: Path, pcm: Float32, rate_hz: int) -> None:
    """The take as files, and where they are."""
    frames = take.frames
    csv, glb, sheet = (output / f"{clip.stem}{suffix}" for suffix in (".csv", ".glb", ".png"))
    write_take(csv, frames, RATE)
    write_take(glb, frames, RATE)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("drawing the contact sheet", total=TILE_COUNT)
        write_contact_sheet(
            sheet,
            frames,
            RATE,
            captions=read_phones(clip),
            pcm=pcm,
            sample_rate_hz=rate_hz,
            title=f"{clip.stem}: {take.info.model} {take.info.model_version}",
            tile_count=TILE_COUNT,
            progress=lambda done: progress.update(task, completed=done),
        )
    console.print("look at:", style="bold")
    console.print(f"  {sheet}  the face, its phones and curves", highlight=False, markup=False)
    console.print(f"  {glb}  animated head, opens in any glTF viewer", highlight=False, markup=False)
    console.print(f"  {csv}  Live Link Face take for Unreal and others", highlight=False, markup=False)


async def _stream(console: Console, target: str, pcm: Float32, rate_hz: int, title: str) -> LiveTake:
    options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=RATE, seed=SEED)
    async with AsyncClient(target) as client:
        with LiveTable(console, title) as table:
            return await stream_live(client, at_live_pace(pcm, rate_hz), options, on_frames=table.update)


class Running(NamedTuple):
    """Where a server of our own listens."""

    address: str
    page: str | None
    """URL of the viewer."""
    process: "subprocess.Popen[str]"


@contextmanager
def running_server(console: Console, *, with_page: bool = False) -> Iterator[Running]:
    """A server process of our own on free ports; ended behind the `with`."""
    command = [sys.executable, "-m", "facestream.cli.main", "serve", "--port", "0", "--print-address"]
    command += ["--log-level", "warning"]
    if with_page:
        command += ["--viewer", "--websocket-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with console.status("starting the server"):
            address = process.stdout.readline().strip()
            page = process.stdout.readline().strip() if with_page and address else None
        if not address or page == "":
            raise Unavailable(f"the server did not start (exit code {process.wait(10)}); its message stands above")
        yield Running(address, None if page is None else f"http://{page}/", process)
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()
