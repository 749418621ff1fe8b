"""What the commands that convert released weights say, all in the same way."""

from pathlib import Path

from rich.console import Console

from facestream.errors import InvalidValue


def require_terms(accepted: bool, terms: str) -> None:
    """Raise `InvalidValue` with the `terms` unless they are `accepted`."""
    if not accepted:
        raise InvalidValue("accept_terms", "no", f"--accept-terms, once you have read this: {terms}")


def say(line: str) -> None:
    """One line for the user, as it is."""
    Console().print(line, highlight=False, markup=False, soft_wrap=True)


def say_finished(folder: Path) -> None:
    """The last line: what was made, and for whom."""
    size = sum(path.stat().st_size for path in folder.iterdir())
    say(f"{folder}: bundle of {size / 1e6:.0f} MB, for your use only")
