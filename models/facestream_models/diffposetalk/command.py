"""`facestream models convert diffposetalk`: a bundle from the files that a user brings."""

from pathlib import Path
from typing import Annotated

import typer

from facestream_models.diffposetalk.convert import TERMS, Sources, convert
from facestream_models.released.command import require_terms, say, say_finished

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def diffposetalk(
    denoiser: Annotated[Path, typer.Option(help="the released denoiser, iter_0110000.pt (iter_0100000.pt: no head)")],
    style_encoder: Annotated[Path, typer.Option(help="its style encoder, iter_0026000.pt (iter_0034000.pt: no head)")],
    statistics: Annotated[Path, typer.Option(help="stats_train.npz, which comes with the authors' data set")],
    styles: Annotated[Path | None, typer.Option(help="folder of released styles, NAME.npy each")] = None,
    flame: Annotated[
        Path | None, typer.Option(help="your FLAME 2020, generic_model.pkl: needed for ARKit weights")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="folder of the bundle")] = Path("diffposetalk"),
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="I know the terms and keep to them")] = False,
) -> None:
    """Convert the released DiffPoseTalk into a bundle for your own use; takes 3 GB of memory."""
    require_terms(accept_terms, TERMS)
    say_finished(convert(Sources(denoiser, style_encoder, statistics, styles, flame), output, say))


def main(args: list[str], prog_name: str) -> None:
    """Entry point of `facestream models convert diffposetalk`."""
    app(args=args, prog_name=prog_name)
