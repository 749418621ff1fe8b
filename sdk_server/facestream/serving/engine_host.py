"""The process of an engine that several servers share: `python -m facestream.serving.engine_host SOCKET`.

Its starter sends an `EngineHostJob`, hears `READY` or what is wrong, and holds it up by the socket. Servers connect to
the address of the job with as many sockets as they want to take steps at once; a thread answers each.
"""

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Literal

import numpy as np

from facestream.engines.base import BUCKETS
from facestream.engines.bundle import Bundle
from facestream.engines.choice import EngineOptions, open_with
from facestream.errors import EngineError, FacestreamError
from facestream.serving.animator import Places
from facestream.serving.helper_process import READY, Pipe, pipes_given, start_thread
from facestream.serving.joined_steps import JoinedSteps
from facestream.serving.rows import RowNumbers
from facestream.serving.shared_engine import AskedStep, HostFacts
from facestream.serving.short_turns import take_short_turns
from facestream.telemetry.logs import configure_logs

_CONNECTIONS_WAITING = 64


@dataclass(frozen=True, slots=True)
class EngineHostJob:
    """What to serve and where: a bundle of the family `live`, and a socket in a folder that nobody else may enter."""

    folder: Path
    engine: EngineOptions
    address: Path
    log_format: Literal["json", "text"]
    log_level: str


@dataclass(slots=True)
class _Guest:
    """A server: its sockets, and the rows of the engine by the numbers that it has given them."""

    pipe_count: int = 0
    rows: dict[int, int] = field(default_factory=dict)


class EngineHost:
    """Answers servers. Those that go leave their rows to the others."""

    def __init__(self, steps: JoinedSteps, facts: HostFacts) -> None:
        self._steps = steps
        self._facts = facts
        self._numbers = RowNumbers()
        self._guests: dict[str, _Guest] = {}
        self._changed = threading.Condition()

    def accept(self, listener: Listener) -> None:
        """Answer whoever connects, for ever."""
        while True:
            start_thread(self.serve, listener.accept())

    def serve(self, pipe: Pipe) -> None:
        """Answer one socket of a server until that is closed."""
        with pipe, contextlib.suppress(EOFError, OSError):
            name: str = pipe.recv()
            guest = self._enter(name)
            try:
                pipe.send(self._facts)
                while True:
                    pipe.send(self._answer(guest, pipe.recv()))
            finally:
                self._leave(name, guest)

    def wait_until_left(self) -> None:
        """Return once no server is there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._guests)

    def _answer(self, guest: _Guest, asked: AskedStep) -> object:
        rows = self._rows_of(guest, asked.rows.tolist())
        for row in rows[asked.begun == 0]:
            self._steps.begin(int(row))
        try:
            return self._steps.step(rows, asked.pcm)
        except EngineError as error:
            return error

    def _rows_of(self, guest: _Guest, numbers: Sequence[int]) -> Places:
        with self._changed:
            for number in numbers:
                if number not in guest.rows:
                    guest.rows[number] = self._numbers.take()
            return np.array([guest.rows[number] for number in numbers], np.intp)

    def _enter(self, name: str) -> _Guest:
        with self._changed:
            guest = self._guests.setdefault(name, _Guest())
            guest.pipe_count += 1
            return guest

    def _leave(self, name: str, guest: _Guest) -> None:
        with self._changed:
            guest.pipe_count -= 1
            if not guest.pipe_count:
                for row in guest.rows.values():
                    self._numbers.give_back(row)
                del self._guests[name]
            self._changed.notify_all()


def main() -> None:
    """Open the engine, warm it up, let servers in; end when the starter and all of them have gone."""
    (starter,) = pipes_given()
    job: EngineHostJob = starter.recv()
    configure_logs(job.log_format, job.log_level, process="engine")
    take_short_turns()
    try:
        bundle = Bundle.open(job.folder)
        engine = open_with(job.engine, lambda backend: backend.open_live(bundle))
        engine.warm_up()
    except FacestreamError as error:
        starter.send(error)
        return
    costs = {rows: engine.cost_s(rows) for rows in BUCKETS}
    host = EngineHost(JoinedSteps(engine), HostFacts(engine.model, engine.max_rows, costs, os.getpid()))
    job.address.unlink(missing_ok=True)  # of a host that died
    with Listener(str(job.address), "AF_UNIX", _CONNECTIONS_WAITING) as listener:
        start_thread(host.accept, listener)
        starter.send(READY)
        try:
            starter.recv()
        except (EOFError, OSError):
            host.wait_until_left()


if __name__ == "__main__":
    main()
