"""`facestream emotion extract CLIP -o my.emotion.npz`: what a model hears in a clip, kept for later."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.acting import SPEECH, ActingChange, Emotion
from facestream.audio.files import read_audio
from facestream.errors import InvalidValue
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.serving.reference import reference_speech

app = typer.Typer(help="Emotions: keep the one of a clip as a vector.", no_args_is_help=True)


@app.callback()
def emotion() -> None:
    """Emotions: keep the one of a clip as a vector."""


@app.command("extract")
def extract(
    clip: Annotated[Path, typer.Argument(help="wav, flac, ogg or mp3: half a second to a minute of speech")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write, .npz")],
    model: Annotated[str, typer.Option(help="model that acts, or a bundle folder")] = "deeptalk-compact",
) -> None:
    """Write the emotion of a clip as a vector for --emotion; vectors of one model mean nothing to another."""
    if output.suffix.lower() != ".npz" or not output.parent.is_dir():
        raise InvalidValue("output", str(output), "a name ending in .npz, in a folder that exists")
    heard = hear(open_pipeline(model), clip)
    heard.save(output)
    Console().print(f"{clip.name}: {heard.width} values heard by {model}, written to {output}", highlight=False)


def hear(pipeline: Pipeline, clip: Path) -> Emotion:
    """The emotion of an audio file. Raises `AudioError` and, for a model that can not act, `InvalidValue`."""
    pipeline.check_acting(ActingChange(emotion=SPEECH))
    samples, rate_hz = read_audio(clip)
    return pipeline.hear_emotion(reference_speech(samples, rate_hz, pipeline.model.hop_samples))
