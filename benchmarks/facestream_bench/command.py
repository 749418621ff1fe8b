"""What every command of the suite does alike: where its result goes, and the command that makes it again."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from facestream_bench.results import write_results


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options that every command has: where the result goes, and a note to it."""
    parser.add_argument("-o", "--output", type=Path, help="result file; default: its place in benchmarks/results")
    parser.add_argument("--beside", help="note on what else ran on the machine")


def command_of(program: str, parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """The command for the record: what differs from the defaults, and folders by what they are, not by where this
    machine keeps them. Where the result goes and what ran beside it is no part of it.
    """
    parts = [program]
    for action in parser._actions:
        value = getattr(arguments, action.dest, None)
        if value is None or value == action.default or action.dest in ("help", "output", "beside"):
            continue
        if action.option_strings:
            parts.append(action.option_strings[-1])
        if isinstance(value, bool):
            continue
        values = value if isinstance(value, list | tuple) else [value]
        parts += [action.dest.upper() if isinstance(one, Path) else shlex.quote(str(one)) for one in values]
    return " ".join(parts)


def publish(
    name: str,
    figures: Mapping[str, float],
    parser: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    notes: Sequence[str] = (),
) -> None:
    """Print the figures of a command, and write its result file `NAME.json` (for options of `add_output`)."""
    beside = [arguments.beside] if arguments.beside else []
    command = command_of(parser.prog, parser, arguments)
    path = write_results(name, command, figures, path=arguments.output, notes=[*notes, *beside])
    width = max((len(key) for key in figures), default=0)
    print(
        "\n".join(f"{key:{width}}  {value:.4g}" for key, value in sorted(figures.items())),
        f"written to {path}",
        sep="\n",
    )
