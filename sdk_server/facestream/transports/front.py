"""One of several processes that serve clients side by side: `python -m facestream.transports.front SOCKET`.

A whole server but for the engine, which it shares with the others, as it does its ports and its limits. The process
that starts it is `fronts`: it sends a `FrontJob` and hears `READY` or what is wrong, later perhaps `EngineHangs`.
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facestream.errors import FacestreamError
from facestream.serving.admission import Admission
from facestream.serving.helper_process import READY, Pipe, pipes_given, start_thread
from facestream.serving.shared_engine import SharedEngines
from facestream.settings import Settings
from facestream.telemetry.logs import configure_logs
from facestream.transports import event_loop
from facestream.transports.server import load_pipelines, serve


@dataclass(frozen=True, slots=True)
class FrontJob:
    """What to serve: all values of the settings, with ports that are reserved for the fronts."""

    settings: Mapping[str, Any]
    front: int
    """Its number, from 0 on."""
    open_streams: Path
    """File of the counts that all fronts share (`admission.OpenStreams`)."""
    engines: Mapping[str, Path]
    """Sockets of the engines, by the model's name."""


def main() -> None:
    """Serve until SIGTERM, or until the starter is gone; then drain."""
    (starter,) = pipes_given()
    job: FrontJob = starter.recv()
    settings = Settings(**job.settings)
    configure_logs(settings.log_format, settings.log_level, process=f"front-{job.front}")
    start_thread(_end_with, starter)

    def tell(message: object) -> None:
        with contextlib.suppress(OSError):  # the starter is gone, and that ends this process anyway
            starter.send(message)

    shared = SharedEngines(job.engines, tell)
    open_streams = np.memmap(job.open_streams, np.int64, "r+").reshape(-1, 2)
    serving = serve(
        settings,
        on_ready=lambda server: tell(READY),
        load=lambda: load_pipelines(settings, shared),
        admission=Admission(settings.max_streams, settings.max_clips, open_streams, job.front),
        shares_ports=True,
    )
    try:
        event_loop.run(serving)
    except FacestreamError as error:
        tell(error)


def _end_with(starter: Pipe) -> None:
    with contextlib.suppress(EOFError, OSError):
        starter.recv()  # nothing is ever sent: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
