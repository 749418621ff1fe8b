"""`facestream head`: the rig profile of a FLAME head that a user brings, and whether a glTF face can be driven."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.gltf_head import shipped_head_glb
from facestream_models.flame.check import check_face, read_morph_face
from facestream_models.flame.licensed import load_flame
from facestream_models.flame.rig_profile import fit_rig_profile, save_profile

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def heads() -> None:
    """Heads that users bring: rig profiles of FLAME files, a check of glTF faces."""


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


@app.command()
def check(
    face: Annotated[
        Path | None, typer.Argument(help="a .glb or .gltf with ARKit blendshapes; the open head if left out")
    ] = None,
) -> None:
    """Check that ARKit weights can drive a glTF face: names, mirror symmetry, lips that meet, no inverted triangles."""
    path = face or shipped_head_glb()
    console = Console()
    findings = check_face(read_morph_face(path))
    for finding in findings:
        verdict = "ok  " if finding.passed else "FAIL"
        console.print(f"{verdict}  {finding.check:36} {finding.told}", highlight=False, markup=False, soft_wrap=True)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


def main(args: list[str], prog_name: str) -> None:
    """Entry point of `facestream head`."""
    app(args=args, prog_name=prog_name)
