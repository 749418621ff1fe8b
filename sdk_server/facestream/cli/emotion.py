"""`facestream emotion extract CLIP -o my.emotion.npz`: what a model hears in a clip, kept for later."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.acting import SPEECH, ActingChange, Emotion
from facestream.audio.files import read_audio
from facestream.errors import InvalidValue, NotFound
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.serving.reference import reference_speech

DEFAULT_MODEL = "deeptalk-compact"

app = typer.Typer(help="Emotions: keep the one of a clip as a vector.", no_args_is_help=True)


@app.callback()
def emotion() -> None:
    """Emotions: keep the one of a clip as a vector."""


@app.command("extract")
def extract(
    clip: Annotated[Path, typer.Argument(help="wav, flac, ogg or mp3: half a second to a minute of speech")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write, .npz")],
    model: Annotated[str, typer.Option(help="model that acts, or a bundle folder")] = DEFAULT_MODEL,
) -> None:
    """Write the emotion of a clip as a vector for --emotion; vectors of one model mean nothing to another."""
    if output.suffix.lower() != ".npz" or not output.parent.is_dir():
        raise InvalidValue("output", str(output), "a name ending in .npz, in a folder that exists")
    heard = hear(_open_acting(model), clip)
    heard.save(output)
    Console().print(f"{clip.name}: {heard.width} values heard by {model}, written to {output}", highlight=False)


def _open_acting(model: str) -> Pipeline:
    """As `open_pipeline`; who never named a model is told how to come by one."""
    try:
        return open_pipeline(model)
    except NotFound:
        if model != DEFAULT_MODEL:
            raise
        allowed = "--model FOLDER, a bundle that acts; `facestream models convert deeptalk` makes one (docs/acting.md)"
        raise InvalidValue("model", f"none, and {DEFAULT_MODEL} is not installed", allowed) from None


def hear(pipeline: Pipeline, clip: Path) -> Emotion:
    """The emotion of an audio file. Raises `AudioError` and, for a model that can not act, `InvalidValue`."""
    pipeline.check_acting(ActingChange(emotion=SPEECH))
    samples, rate_hz = read_audio(clip)
    return pipeline.hear_emotion(reference_speech(samples, rate_hz, pipeline.model.hop_samples))
