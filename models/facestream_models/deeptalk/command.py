"""`facestream models convert deeptalk`: a bundle from the checkpoint that a user brings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.errors import InvalidValue
from facestream_models.deeptalk.convert import TERMS, convert

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
    if not accept_terms:
        raise InvalidValue("accept_terms", "no", f"--accept-terms, once you have read this: {TERMS}")
    console = Console()

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    folder = convert(checkpoint, flame, output, say)
    size = sum(path.stat().st_size for path in folder.iterdir())
    say(f"{folder}: bundle of {size / 1e6:.0f} MB, for your use only")


def main(args: list[str], prog_name: str) -> None:
    """Entry point of `facestream models convert deeptalk`."""
    app(args=args, prog_name=prog_name)
