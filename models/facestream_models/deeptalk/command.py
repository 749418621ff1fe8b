"""`facestream models convert deeptalk`: a bundle from the checkpoint that a user brings."""

from pathlib import Path
from typing import Annotated

import typer

from facestream_models.deeptalk.convert import TERMS, convert
from facestream_models.released.command import require_terms, say, say_finished

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def deeptalk(
    checkpoint: Annotated[Path, typer.Option(help="the released DEEPTalk.pth")],
    flame: Annotated[
        Path | None, typer.Option(help="your FLAME 2020, generic_model.pkl: needed for ARKit weights")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="folder of the bundle")] = Path("deeptalk"),
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="I know the terms and keep to them")] = False,
) -> None:
    """Convert the released DEEPTalk into a bundle for your own use; takes 3 GB of memory."""
    require_terms(accept_terms, TERMS)
    say_finished(convert(checkpoint, flame, output, say))


def main(args: list[str], prog_name: str) -> None:
    """Entry point of `facestream models convert deeptalk`."""
    app(args=args, prog_name=prog_name)
