"""Questions to another process: for as many threads at once as there are pipes to it."""

import queue
from collections.abc import Iterable
from typing import Any

from facestream.errors import EngineError
from facestream.serving.helper_process import Pipe


class Questions:
    """Takes over `pipes`. The other end answers each question with one object, and sends nothing unasked."""

    def __init__(self, pipes: Iterable[Pipe]) -> None:
        self._idle: queue.SimpleQueue[Pipe] = queue.SimpleQueue()
        self._count = 0
        for pipe in pipes:
            self._idle.put(pipe)
            self._count += 1
        self._is_gone = False

    def ask(self, question: object) -> Any:
        """The answer, from any thread. Raises `EngineError` where nobody is there any more."""
        pipe = self._idle.get()
        try:
            pipe.send(question)
            return pipe.recv()
        except (EOFError, OSError):
            self._is_gone = True
            raise EngineError("the engine's process has ended; its last words are in the server's log") from None
        finally:
            self._idle.put(pipe)

    @property
    def is_gone(self) -> bool:
        """Whether the other process is. One that hangs is not: whoever waits for an answer sees that."""
        try:
            pipe = self._idle.get_nowait()
        except queue.Empty:
            return self._is_gone
        try:
            # there is something to read only where the other end is closed
            self._is_gone = self._is_gone or pipe.poll()
        except OSError:
            self._is_gone = True
        finally:
            self._idle.put(pipe)
        return self._is_gone

    def close(self, patience_s: float) -> bool:
        """Ask nothing more. Whether all that was asked has been answered, within so many seconds each."""
        pipes: list[Pipe] = []
        try:
            while len(pipes) < self._count:
                pipes.append(self._idle.get(timeout=patience_s))
        except queue.Empty:
            pass
        for pipe in pipes:
            pipe.close()
            self._idle.put(pipe)  # closed: whoever still asks is told that nobody is there
        return len(pipes) == self._count
