"""Commands of the science, found by name so that the runtime never imports it."""

from importlib.metadata import entry_points

from facestream.errors import FacestreamError


def run_science_command(name: str, arguments: list[str], spoken: str | None = None) -> None:
    """Run the science's command of that entry point; `spoken` is how its user calls it, where that is not its name."""
    spoken = spoken or name
    for entry in entry_points(group="facestream.commands", name=name):
        try:
            command = entry.load()
        except ModuleNotFoundError as error:
            raise FacestreamError(
                f"'facestream {spoken}' needs the package {error.name!r}; install it: pip install 'facestream[train]'"
            ) from error
        command(args=arguments, prog_name=f"facestream {spoken}")
        return
    raise FacestreamError(f"'facestream {spoken}' is not part of this installation; reinstall facestream")
