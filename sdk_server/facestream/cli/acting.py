"""Options of the commands that animate: in which emotion, how widely, by whom, likeliest or sampled."""

from pathlib import Path
from typing import Annotated

import typer

from facestream.acting import ActingChange, Emotion, Sampling
from facestream.style import Style
from facestream.styling import StylingChange

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

StyleOption = Annotated[str | None, typer.Option(help="style of the model by name, 'none', or a .style file")]
StrengthOption = Annotated[
    float | None, typer.Option(help="of the style, 0 to 2: 0 is nobody's, 1 as the model is meant")
]
HeadOption = Annotated[
    float | None, typer.Option(help="rotation of the head times this, 0 to 2: 0 holds it still, 1 is the model's")
]
StepsOption = Annotated[int | None, typer.Option(help="evaluations of a diffusion model a window: more is slower")]

VECTORS = (".npz", ".npy")
STYLE_FILE = ".style"


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


def parse_styling(
    style: str | None, strength: float | None, head_amount: float | None, steps: int | None
) -> StylingChange | None:
    """What the options ask of a model with styles; `None` where they ask nothing. Raises `InvalidValue`."""
    chosen: Style | str | None = style
    if style is not None and Path(style).suffix.lower() == STYLE_FILE:
        chosen = Style.load(Path(style))
    change = StylingChange(style=chosen, strength=strength, head_amount=head_amount, steps=steps)
    return None if change.is_empty else change
