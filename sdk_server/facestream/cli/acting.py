"""Options of the commands that animate: in which emotion, how widely, by whom, likeliest or sampled."""

from pathlib import Path
from typing import Annotated

import typer

from facestream.acting import ActingChange, Emotion, Sampling

EmotionOption = Annotated[
    str | None,
    typer.Option(help="preset of the model, 'speech', a stored vector (.npz, .npy), or a reference clip (audio file)"),
]
SpreadOption = Annotated[
    float | None, typer.Option(help="move the emotion by so many standard deviations, 0 to 4, as the seed draws")
]
TopOption = Annotated[
    float | None, typer.Option(help="sample expression at this temperature, above 0 to 10; else the likeliest motion")
]
BottomOption = Annotated[float | None, typer.Option(help="sample lips at this temperature, above 0 to 10")]
SpeakerOption = Annotated[str | None, typer.Option(help="speaker of the model whose manner to take")]

VECTORS = (".npz", ".npy")


def reference_clip(emotion: str | None) -> Path | None:
    """The audio file that `--emotion` names, if it names one."""
    if emotion is None or Path(emotion).suffix.lower() in VECTORS or not Path(emotion).is_file():
        return None
    return Path(emotion)


def parse_acting(
    emotion: str | None,
    heard: Emotion | None,
    spread: float | None,
    tau_top: float | None,
    tau_bottom: float | None,
    speaker: str | None,
) -> ActingChange:
    """What the options ask for; `heard` is the emotion of the reference clip, where there is one.

    With one temperature only, the other one is 1. Raises `InvalidValue`.
    """
    chosen: Emotion | str | None = heard or emotion
    if heard is None and emotion is not None and Path(emotion).suffix.lower() in VECTORS:
        chosen = Emotion.load(Path(emotion))
    sampling = None
    if tau_top is not None or tau_bottom is not None:
        sampling = Sampling(1.0 if tau_top is None else tau_top, 1.0 if tau_bottom is None else tau_bottom)
    return ActingChange(chosen, spread, sampling, speaker)
