"""The `facestream` command and its one rule for errors: a failure is one line and exit code 2, never a traceback."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from facestream.cli import animate, demo, doctor, emotion, models, serve, stream, style
from facestream.cli.science import run_science_command
from facestream.errors import FacestreamError

app = typer.Typer(
    name="facestream",
    help="Speech in, a moving face out: live ARKit blendshapes for game characters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("animate")(animate.animate)
app.command("stream")(stream.stream)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(emotion.app, name="emotion")
app.add_typer(style.app, name="style")


@app.command(
    "head",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def head(context: typer.Context) -> None:
    """Heads: fit a rig profile for a FLAME file of yours (needs the `train` extra)."""
    run_science_command("head", context.args)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except FacestreamError as error:
        line = Text.assemble(("facestream:", "bold red"), " ", str(error))
        Console(stderr=True).print(line, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
