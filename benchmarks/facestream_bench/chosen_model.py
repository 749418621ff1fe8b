"""Which model a command measures, and what its streams ask of it."""

import argparse
from functools import partial
from typing import Any

from facestream.client import StreamOptions
from facestream.engines.bundle import open_bundle
from facestream.engines.choice import AUTO, ENGINES, PRECISIONS
from facestream.errors import InvalidValue
from facestream.styling import StylingChange
from facestream_bench.compiled_load import compiled_crowd
from facestream_bench.live_load import Crowd, python_crowd

CROWDS: dict[str, Crowd] = {"python": python_crowd, "compiled": compiled_crowd}
CONNECTIONS_A_FRONT = 16
"""Callers are spread over the processes of a server by connections, at random: the more, the more evenly."""


def add_model(parser: argparse.ArgumentParser) -> None:
    """Options that choose a model and what is asked of it."""
    parser.add_argument("--model", default="live", help="name or folder of a bundle")
    parser.add_argument(
        "--steps", type=int, help="of a model with styles: evaluations a window; 1 to 4 are its student"
    )
    parser.add_argument("--style", help="of a model with styles: whose; default: nobody's in particular")
    parser.add_argument("--emotion", help="of a model that acts: a preset; default: what it hears in the speech")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Options that choose what the server runs it on."""
    parser.add_argument("--engine", choices=ENGINES, help="of the server; default: the fastest that works here")
    parser.add_argument("--precision", choices=PRECISIONS[AUTO], help="of its matrix products; default: fp32")


def add_client(parser: argparse.ArgumentParser) -> None:
    """The option that chooses who speaks."""
    parser.add_argument(
        "--client", choices=sorted(CROWDS), default="python", help="compiled takes a fifth of the time, and a compiler"
    )


def add_fronts(parser: argparse.ArgumentParser) -> None:
    """The option that chooses by how many processes clients are served."""
    parser.add_argument("--front-processes", type=int, help="of the server; default: 1. More need --client compiled")


def crowd_of(arguments: argparse.Namespace) -> Crowd:
    """Who speaks. Raises `InvalidValue` for a client that can not be spread over the processes of the server."""
    if not getattr(arguments, "front_processes", None):
        return CROWDS[arguments.client]
    if arguments.client != "compiled":
        raise InvalidValue("client", arguments.client, "compiled, with --front-processes: it has many connections")
    return partial(compiled_crowd, connections=CONNECTIONS_A_FRONT * arguments.front_processes)


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What of the server's settings was chosen."""
    names = ("engine", "precision", "front_processes")
    return {name: value for name in names if (value := getattr(arguments, name, None)) is not None}


def options_of(arguments: argparse.Namespace, sample_rate_hz: int = 16_000, seed: int | None = None) -> StreamOptions:
    """What a stream of the chosen model asks for; the server's default model is the chosen one."""
    styling = None
    if arguments.steps is not None or arguments.style is not None:
        styling = StylingChange(style=arguments.style, steps=arguments.steps)
    return StreamOptions(sample_rate_hz=sample_rate_hz, seed=seed, emotion=arguments.emotion, styling=styling)


def label_of(arguments: argparse.Namespace) -> str:
    """The model in a figure's name: `live`, `diffposetalk-compact.steps_2`, `live.tensorrt.fp16`, `live.fronts_2`.

    Raises what the bundle has against it.
    """
    parts = [open_bundle(arguments.model).model.name]
    if arguments.steps is not None:
        parts.append(f"steps_{arguments.steps}")
    chosen = settings_of(arguments)
    if fronts := chosen.pop("front_processes", None):
        chosen["fronts"] = f"fronts_{fronts}"
    return ".".join([*parts, *chosen.values()])
