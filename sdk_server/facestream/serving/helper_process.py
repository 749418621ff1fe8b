"""A module of this package in a process of its own, beside the one that started it, and pipes between the two.

The module is run as `python -m MODULE SOCKET...` and finds its ends with `pipes_given`. It ends by itself once they are
closed, as they are when the process that started it is gone, however that ended. It is in a session of its own: Ctrl-C
in a terminal is its starter's, which drains first.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

CAN_BE_STARTED = os.name == "posix"
"""A connected socket is handed to the new process, which Windows does otherwise."""

Pipe: TypeAlias = "Connection[Any, Any]"

READY = "ready"
"""What a helper tells once it works; before that, only what is wrong."""

_END_S = 10.0


class HelperProcess:
    """As its starter sees it."""

    def __init__(self, module: str, pipe_count: int = 1) -> None:
        pairs = [socket.socketpair() for _ in range(pipe_count)]
        ends = [there.fileno() for _, there in pairs]
        command = [sys.executable, "-m", module, *map(str, ends)]
        self._process = subprocess.Popen(command, pass_fds=ends, start_new_session=True)
        self.pipes: list[Pipe] = []
        for here, there in pairs:
            there.close()
            self.pipes.append(Connection(here.detach()))

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ask_to_end(self) -> None:
        """With the signal that lets it finish what it has begun."""
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """At once, whatever it is doing, from any thread."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self.wait(_END_S)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has ended, within so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.has_ended


def pipes_given() -> list[Pipe]:
    """In the helper: its ends of the pipes."""
    return [Connection(int(end)) for end in sys.argv[1:]]


def start_thread(work: Callable[..., None], *given: Any) -> None:
    """A thread whose failure ends its process, as that of the first thread does by itself."""

    def work_or_end() -> None:
        try:
            work(*given)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    threading.Thread(target=work_or_end, daemon=True).start()
