"""`facestream demo`: the whole product on one clip, and where to look at what it made."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

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
) -> None:
    """Stream real speech to a server of its own at live pace and leave a talking face: CSV, GLB, contact sheet."""
    console = Console()
    if not clip.exists():
        raise NotFound("recording", str(clip), [str(EXAMPLE)] if EXAMPLE.exists() else [])
    pcm, rate_hz = read_audio(clip)
    output.mkdir(parents=True, exist_ok=True)
    with running_server(console) as target:
        console.print(
            f"server on {target}; streaming {clip.name}, {len(pcm) / rate_hz:.1f} s at live pace", markup=False
        )
        take = asyncio.run(_stream(console, target, pcm, rate_hz, clip.name))
    report(console, take)

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
    console.print("talk to it in a browser:  facestream serve --viewer", highlight=False, markup=False)


async def _stream(console: Console, target: str, pcm: Float32, rate_hz: int, title: str) -> LiveTake:
    options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=RATE, seed=SEED)
    async with AsyncClient(target) as client:
        with LiveTable(console, title) as table:
            return await stream_live(client, at_live_pace(pcm, rate_hz), options, on_frames=table.update)


@contextmanager
def running_server(console: Console) -> Iterator[str]:
    """A server process of our own on a free port; gives its address, and ends it."""
    command = [
        sys.executable,
        "-m",
        "facestream.cli.main",
        "serve",
        "--port",
        "0",
        "--print-address",
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with console.status("starting the server"):
            address = process.stdout.readline().strip()
        if not address:
            raise Unavailable(f"the server did not start (exit code {process.wait(10)}); its message stands above")
        yield address
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()
