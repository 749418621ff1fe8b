"""`facestream head fit FLAME_FILE -o profile.npz`: the rig profile of a head that a user brings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream_models.flame.licensed import load_flame
from facestream_models.flame.rig_profile import fit_rig_profile, save_profile

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def heads() -> None:
    """Rig profiles of FLAME-format heads."""


@app.command()
def fit(
    head: Annotated[Path, typer.Argument(help="your FLAME file: generic_model.pkl, flame2023.pkl or an npz")],
    output: Annotated[Path, typer.Option("-o", "--output", help="where the profile goes, an .npz")],
) -> None:
    """Carry the open head's ARKit shapes over to a FLAME file of yours and write its rig profile."""
    if output.suffix != ".npz" or not output.parent.is_dir():
        raise InvalidValue("output", output, "a file name ending in .npz, in a folder that exists")
    console = Console()
    model = load_flame(head)
    with console.status("registering the open head onto it, 20 to 30 seconds"):
        profile = fit_rig_profile(model)
    save_profile(profile, output)
    console.print(
        f"{output}: {len(ARKIT_NAMES)} ARKit shapes on {model.vertex_count} vertices, head {profile.head_digest[:12]}",
        highlight=False,
        soft_wrap=True,
    )


def main(args: list[str], prog_name: str) -> None:
    """Entry point of `facestream head`."""
    app(args=args, prog_name=prog_name)
