"""`facestream models`: which bundles are installed, checked."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from facestream.cli.science import run_science_command
from facestream.engines.bundle import Bundle, list_bundles
from facestream.errors import BundleError, NotFound

COLUMNS = ("name", "version", "family", "look-ahead", "size", "licence", "state")
CONVERTED = ("deeptalk", "diffposetalk")
"""Families whose released weights can be made into a bundle."""

app = typer.Typer()


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    folder: Annotated[list[Path] | None, typer.Option(help="look here too; may be given more than once")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for scripts")] = False,
) -> None:
    """List model bundles with their version, look-ahead, size and licence; every file is checked against its hash."""
    if context.invoked_subcommand is not None:
        return
    found = [_described(name, path) for name, path in list_bundles(folder or ()).items()]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in COLUMNS:
        table.add_column(column, no_wrap=column != "state")
    for row in found:
        table.add_row(*(row[key] for key in COLUMNS))
    Console().print(table)


@app.command(
    "convert",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def convert(context: typer.Context, family: Annotated[str, typer.Argument(help=", ".join(CONVERTED))]) -> None:
    """Make a bundle from released weights that you bring (needs the `train` extra)."""
    if family not in CONVERTED:
        raise NotFound("family to convert", family, CONVERTED)
    run_science_command(f"convert-{family}", context.args, f"models convert {family}")


def _described(name: str, folder: Path) -> dict[str, str]:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    row = {"name": name, "folder": str(folder), "size": f"{size / 1e6:.1f} MB"}
    try:
        bundle = Bundle.open(folder)
        manifest, model = bundle.manifest, bundle.model
    except BundleError as error:
        return row | dict.fromkeys(("version", "family", "look-ahead", "licence"), "-") | {"state": str(error)}
    return row | {
        "version": manifest.version,
        "family": manifest.family,
        "look-ahead": f"{1000 * (model.lookahead_samples + model.ahead_samples) // manifest.sample_rate_hz} ms",
        "licence": manifest.licence,
        "state": "ok",
    }
