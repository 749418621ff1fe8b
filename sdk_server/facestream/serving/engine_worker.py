"""The other end of `engine_process`: `python -m facestream.serving.engine_worker SOCKET...`.

The first request, on the first socket, names a bundle; then a thread for each socket answers one after the other, and
all end when nobody asks any more. An error that has a class of its own is an answer, too; any other ends the process,
with its traceback in the log of the server.
"""

import logging
import logging.handlers
import queue
import threading
from collections.abc import Callable
from typing import Any

from facestream.engines.base import BUCKETS
from facestream.engines.bundle import Bundle
from facestream.errors import FacestreamError
from facestream.serving.animator import Animator
from facestream.serving.helper_process import Pipe, pipes_given, start_thread
from facestream.serving.pipelines import animator_of
from facestream.serving.short_turns import take_short_turns


class _Told(logging.handlers.QueueHandler):
    """Keeps what is logged until the next answer takes it along to the server's log."""

    def __init__(self) -> None:
        self._records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._taking = threading.Lock()
        super().__init__(self._records)
        self.setFormatter(logging.Formatter("%(message)s"))  # the rest is the server's to add

    def take(self) -> list[logging.LogRecord]:
        with self._taking:
            return [self._records.get() for _ in range(self._records.qsize())]


def main() -> None:
    """Open the bundle, tell what it is, then serve."""
    take_short_turns()
    told = _Told()
    logging.basicConfig(level=logging.INFO, handlers=[told])
    pipe, *others = pipes_given()
    folder, engine = pipe.recv()
    try:
        animator = animator_of(Bundle.open(folder), engine)
    except FacestreamError as error:
        pipe.send((error, told.take()))
        return
    pipe.send(((animator.source.model, animator.source.max_rows), told.take()))
    for other in others:
        start_thread(serve, other, animator, told.take)
    serve(pipe, animator, told.take)


def serve(pipe: Pipe, animator: Animator, told: Callable[[], list[logging.LogRecord]] = list) -> None:
    """Answer until the other side is closed."""
    while True:
        try:
            verb, *request = pipe.recv()
        except (EOFError, OSError):
            return
        answer: object
        try:
            answer = _warm_up(animator) if verb == "warm_up" else _advance(animator, *request)
        except FacestreamError as error:
            answer = error
        pipe.send((answer, told()))


def _advance(animator: Animator, notes: Any, *step: Any) -> Any:
    for row, changes in notes.items():
        for verb, values in changes:
            animator.reset(row, values) if verb == "reset" else animator.put(row, values)
    return animator.advance(*step)


def _warm_up(animator: Animator) -> dict[int, float]:
    animator.warm_up()
    return {rows: animator.source.cost_s(rows) for rows in BUCKETS}


if __name__ == "__main__":
    main()
