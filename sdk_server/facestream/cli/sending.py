"""`--to`: the targets of a session on the command line, sent to from here, and what came of it."""

import asyncio
from collections.abc import Sequence

from rich.console import Console

from facestream.timebase import FrameRate
from facestream.transports.senders.pacer import Outlet, Pacer
from facestream.transports.senders.target import parse_target
from facestream.types import Frames

_LONGEST_TAIL_S = 15.0
"""For what waits to be shown when the stream has ended; frames wait for ten seconds at most."""


class Sending:
    """Use it with `with`; `add` frames as they come. Nothing is opened where there are no targets."""

    def __init__(self, targets: Sequence[str], rate: FrameRate) -> None:
        """Raises `InvalidValue` for a target that makes no sense or can not be found."""
        parsed = [parse_target(text) for text in targets]
        self._pacer = Pacer()
        try:
            self._outlets: list[Outlet] = [self._pacer.open(target, rate) for target in parsed]
        except BaseException:
            self._pacer.close()
            raise

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, *exception: object) -> None:
        self._pacer.close()

    def add(self, frames: Frames) -> None:
        """The next frames of the stream."""
        for outlet in self._outlets:
            outlet.add(frames)

    async def finish(self) -> None:
        """Show what still waits, and return behind the last face."""
        for outlet in self._outlets:
            outlet.finish()
        for outlet in self._outlets:
            await asyncio.to_thread(outlet.over.wait, _LONGEST_TAIL_S)

    def report(self, console: Console) -> None:
        """A line for each target: what was sent, and whether anybody listened."""
        for outlet in self._outlets:
            sender = outlet.sender
            told = f"{sender.sent} packets to {outlet.target.text}"
            if sender.failure is not None:
                told += f"; some could not be sent: {sender.failure}"
            elif sender.refused:
                told += f"; {sender.refused} times nobody listened there: is the tool open, and its port right?"
            console.print(told, highlight=False, markup=False, soft_wrap=True)
