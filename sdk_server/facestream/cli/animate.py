"""`facestream animate FILE -o take.csv`: a recording to a take, in this process, faster than real time."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from facestream.audio.files import read_audio
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
from facestream.cli.emotion import hear
from facestream.cli.takes import parse_frame_rate
from facestream.files.formats import TakeOptions, check_options, check_output, write_take
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate as animate_clip
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline


def animate(
    source: Annotated[Path, typer.Argument(help="wav, flac, ogg or mp3")],
    output: Annotated[
        list[Path],
        typer.Option("-o", "--output", help="take.csv (Live Link Face), .npz, .json, .glb or .usda; may be repeated"),
    ],
    frame_rate: Annotated[str, typer.Option(help="frames per second, 30 or 30000/1001")] = "30",
    model: Annotated[str, typer.Option(help="name of a shipped bundle, or a bundle folder")] = "live",
    mouth_strength: Annotated[float, typer.Option(help="gain of the mouth's movement, 0 to 2")] = 1.0,
    seed: Annotated[int, typer.Option(help="of blinks, gaze and sampled motion: equal seeds, equal takes")] = 0,
    blinks: Annotated[bool, typer.Option(help="seeded blinks")] = True,
    gaze: Annotated[bool, typer.Option(help="seeded small eye movements")] = True,
    emotion: EmotionOption = None,
    emotion_spread: SpreadOption = None,
    tau_top: TopOption = None,
    tau_bottom: BottomOption = None,
    speaker: SpeakerOption = None,
    style: StyleOption = None,
    style_strength: StrengthOption = None,
    head_amount: HeadOption = None,
    steps: StepsOption = None,
    mesh: Annotated[
        Path | None, typer.Option(help="for .glb: a .glb or .gltf of your own, with ARKit morph targets")
    ] = None,
    animation_only: Annotated[bool, typer.Option("--animation-only", help=".glb and .usda without geometry")] = False,
    visemes: Annotated[
        bool, typer.Option("--visemes", help="also the 15 visemes of Oculus, in the file or as NAME.visemes.csv beside")
    ] = False,
) -> None:
    """Animate a recording and write it as a take; needs no server."""
    extent = TakeOptions(visemes, mesh, animation_only)
    check_options(extent, output)
    for path in output:
        check_output(path, extent)
    rate = parse_frame_rate(frame_rate)
    samples, rate_hz = read_audio(source)
    polish = PolishOptions(mouth_strength=mouth_strength, blinks=blinks, gaze=gaze)
    pipeline = open_pipeline(model)
    clip = reference_clip(emotion)
    heard = None if clip is None else hear(pipeline, clip)
    acting = replace(
        parse_acting(emotion, heard, emotion_spread, tau_top, tau_bottom, speaker),
        styling=parse_styling(style, style_strength, head_amount, steps),
    )
    options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=rate, seed=seed, polish=polish, acting=acting)

    console = Console()
    started = time.monotonic()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"animating {source.name}", total=1.0)
        frames = animate_clip(samples, options, pipeline, lambda share: progress.update(task, completed=share))
    taken_s = time.monotonic() - started
    files = [write_take(path, frames, rate, extent) for path in output]
    audio_s = len(samples) / rate_hz
    written = ", ".join(dict.fromkeys(str(path) for file in files for path in file.paths))
    console.print(
        f"{frames.count} frames of {audio_s:.1f} s in {taken_s:.2f} s ({audio_s / taken_s:.0f} x real time): {written}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    missing = next((file.missing for file in files if file.missing), ())
    if missing:
        told = f"{mesh} has no morph targets for {', '.join(missing)}; these do not move"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
