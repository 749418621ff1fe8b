"""`facestream stream FILE|-`: send speech to a server at the pace it is spoken and watch the face."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from facestream.acting import Emotion
from facestream.audio.files import read_audio
from facestream.audio.pcm import check_sample_rate
from facestream.cli.acting import (
    BottomOption,
    EmotionOption,
    HeadOption,
    SpeakerOption,
    SpreadOption,
    StepsOption,
    StrengthOption,
    StyleOption,
    TopOption,
    parse_acting,
    parse_styling,
    reference_clip,
)
from facestream.cli.live_session import LiveTake, stream_live
from facestream.cli.live_table import LiveTable
from facestream.cli.sending import Sending
from facestream.cli.takes import parse_frame_rate
from facestream.client import AsyncClient, StreamOptions, at_live_pace
from facestream.errors import InvalidValue
from facestream.files.formats import check_output, write_take
from facestream.types import Float32

STDIN = "-"


def stream(
    source: Annotated[str, typer.Argument(help="audio file, or - for raw 16-bit mono PCM on standard input")],
    server: Annotated[str, typer.Option(help="HOST:PORT of a running server")] = "localhost:50051",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="keep the take: .csv, .npz, .json, .glb or .usda")
    ] = None,
    frame_rate: Annotated[str, typer.Option(help="frames per second, 30 or 30000/1001")] = "30",
    sample_rate: Annotated[int, typer.Option(help="Hz, of raw PCM on standard input")] = 16000,
    chunk_ms: Annotated[int, typer.Option(min=10, max=500, help="audio per message, milliseconds")] = 40,
    model: Annotated[str, typer.Option(help="model name; empty for the server's default")] = "",
    seed: Annotated[int | None, typer.Option(help="of blinks, gaze, sampled motion; else the server's")] = None,
    emotion: EmotionOption = None,
    emotion_spread: SpreadOption = None,
    tau_top: TopOption = None,
    tau_bottom: BottomOption = None,
    speaker: SpeakerOption = None,
    style: StyleOption = None,
    style_strength: StrengthOption = None,
    head_amount: HeadOption = None,
    steps: StepsOption = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="show the face in livelink://HOST:PORT?subject=NAME, vmc://.., ifacialmocap://..; repeatable"
        ),
    ] = None,
    from_server: Annotated[
        bool, typer.Option("--from-server", help="let the server send to --to, whose hosts it must allow")
    ] = False,
    token: Annotated[str | None, typer.Option(help="bearer token, where the server asks for one")] = None,
) -> None:
    """Stream speech at live pace and show frames, lag and mouth as they come."""
    rate = parse_frame_rate(frame_rate)
    if output is not None:
        check_output(output)
    if from_server and not to:
        raise InvalidValue("from_server", "no --to", "a target, for example --to livelink://:11111")
    targets = tuple(to or ())
    if source == STDIN:
        check_sample_rate(sample_rate)
        chunks, rate_hz = standard_input(sample_rate, chunk_ms), sample_rate
    else:
        pcm, rate_hz = read_audio(Path(source))
        chunks = at_live_pace(pcm, rate_hz, chunk_ms=chunk_ms)
    console = Console()

    async def run() -> LiveTake:
        async with AsyncClient(server, token=token) as client:
            clip = reference_clip(emotion)
            heard = None if clip is None else await hear(client, clip, model)
            acting = parse_acting(emotion, heard, emotion_spread, tau_top, tau_bottom, speaker)
            options = StreamOptions(
                sample_rate_hz=rate_hz,
                frame_rate=rate,
                model=model,
                seed=seed,
                emotion=acting.emotion,
                emotion_spread=acting.spread,
                motion=acting.codes,
                speaker=acting.speaker,
                styling=parse_styling(style, style_strength, head_amount, steps),
                send_to=targets if from_server else (),
            )
            with LiveTable(console, f"{source} -> {server}") as table:

                def show(take: LiveTake) -> None:
                    sending.add(take.runs[-1])
                    table.update(take)

                take = await stream_live(client, chunks, options, on_frames=show)
                await sending.finish()
                return take

    with Sending(() if from_server else targets, rate) as sending:
        take = asyncio.run(run())
    report(console, take)
    sending.report(console)
    if output is not None:
        write_take(output, take.frames, rate)
        console.print(f"take written to {output}", highlight=False, markup=False)


async def hear(client: AsyncClient, clip: Path, model: str) -> Emotion:
    """The emotion that the server's model hears in an audio file."""
    samples, rate_hz = read_audio(clip)
    return await client.hear_emotion(samples, sample_rate_hz=rate_hz, model=model)


def report(console: Console, take: LiveTake) -> None:
    """Time to first frame and lag percentiles, in two lines."""
    frames = take.frames
    console.print(
        f"{frames.count} frames, first after {take.time_to_first_frame_ms:.0f} ms", highlight=False, markup=False
    )
    announced_ms = 1000 * take.info.latency_samples / take.info.clock.sample_rate_hz
    shown = ", ".join(f"{name} {value:.0f} ms" for name, value in take.lag_percentiles_ms().items())
    console.print(
        f"lag behind audio: {shown} (announced look-ahead {announced_ms:.0f} ms)", highlight=False, markup=False
    )


async def standard_input(rate_hz: int, chunk_ms: int) -> AsyncIterator[Float32]:
    """Raw PCM as it arrives; a pipe sets the pace, and its end is the end of the audio."""
    chunk_bytes = 2 * max(1, rate_hz * chunk_ms // 1000)
    while data := await asyncio.to_thread(sys.stdin.buffer.read, chunk_bytes):
        whole = len(data) // 2 * 2
        yield np.frombuffer(data[:whole], "<i2").astype(np.float32) / np.float32(32768)
