"""`facestream style extract TAKE -o my.style`: how someone moves, from a recording of their face."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from facestream.cli.acting import STYLE_FILE
from facestream.engines.bundle import open_bundle
from facestream.engines.diffposetalk_style import StyleGraph, styles_of
from facestream.errors import InvalidValue, NotFound
from facestream.motion.bundle_profile import profile_of
from facestream.motion.reference_take import read_reference
from facestream.motion.style_extract import extract_style
from facestream.style import Style, StyleSpace, blended

app = typer.Typer(help="Styles: keep how someone moves, from a recording of their face.", no_args_is_help=True)


@app.callback()
def style() -> None:
    """Styles: keep how someone moves, from a recording of their face."""


@app.command("extract")
def extract(
    take: Annotated[
        Path, typer.Argument(help="Live Link Face .csv, glTF (.glb, .gltf), or .npz: four seconds or more of talking")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write, NAME.style")],
    model: Annotated[str, typer.Option(help="model with styles, or a bundle folder")] = "diffposetalk-compact",
) -> None:
    """Write the style of a take for --style; a style belongs to the model that it was made with."""
    _check_output(output)
    bundle = open_bundle(model)
    encoder = StyleGraph(bundle)
    reference = read_reference(take, None if bundle.manifest.head_digest is None else profile_of(bundle))
    found = extract_style(encoder, reference)
    found.save(output)
    Console().print(
        f"{take.name}: {reference.seconds:.1f} s, a style of {found.vector.size} numbers for {found.model} "
        f"{found.digest[:12]}, written to {output}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


@app.command("blend")
def blend(
    first: Annotated[str, typer.Argument(help="style file, or the name of one that ships with the model")],
    second: Annotated[str, typer.Argument(help="the other one")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write, NAME.style")],
    share: Annotated[float, typer.Option(help="of the second style, 0 to 1")] = 0.5,
    model: Annotated[str, typer.Option(help="model with styles, or a bundle folder")] = "diffposetalk-compact",
) -> None:
    """Write a style that lies between two styles of a model."""
    _check_output(output)
    if not 0.0 <= share <= 1.0:
        raise InvalidValue("share", share, "0 to 1")
    bundle = open_bundle(model)
    space, named = styles_of(bundle)
    pair = [read_style(text, space, named) for text in (first, second)]
    mixed = blended(np.stack([one.vector for one in pair]), np.array([1.0 - share, share]))
    Style(mixed, space.model, space.digest).save(output)
    Console().print(f"{share:g} of {second} in {first}, written to {output}", highlight=False, markup=False)


def read_style(text: str, space: StyleSpace, named: Mapping[str, Style]) -> Style:
    """The style that `text` names or the file that it is. Raises `InvalidValue`, `NotFound`."""
    if text in named:
        return named[text]
    if Path(text).suffix.lower() != STYLE_FILE:
        raise NotFound("style", text, named)
    style = Style.load(Path(text))
    space.check(style)
    return style


def _check_output(output: Path) -> None:
    if output.suffix.lower() != STYLE_FILE or not output.parent.is_dir():
        raise InvalidValue("output", str(output), f"a name ending in {STYLE_FILE}, in a folder that exists")
