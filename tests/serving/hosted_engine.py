"""An engine host in this process: its sockets and its threads are the real ones."""

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Listener
from pathlib import Path

from facestream.engines.base import Engine
from facestream.engines.bundle import open_bundle
from facestream.engines.choice import EngineOptions, open_with
from facestream.serving.engine_host import EngineHost
from facestream.serving.joined_steps import STEPS_AT_ONCE, JoinedSteps
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.serving.shared_engine import EngineHangs, HostFacts, SharedEngines


@dataclass(frozen=True)
class Hosted:
    host: EngineHost
    shared: SharedEngines
    hung: list[EngineHangs]
    """What servers have told of it."""

    def pipeline(self) -> Pipeline:
        """Of one more server."""
        return open_pipeline("live", shared=self.shared)


def live_engine() -> Engine:
    bundle = open_bundle("live")
    return open_with(EngineOptions("onnx"), lambda backend: backend.open_live(bundle))


@contextlib.contextmanager
def hosted(folder: Path, engine: Engine | None = None, at_once: int = STEPS_AT_ONCE) -> Iterator[Hosted]:
    engine = engine or live_engine()
    facts = HostFacts(engine.model, engine.max_rows, {1: 0.001, 64: 0.004}, os.getpid())
    host = EngineHost(JoinedSteps(engine, at_once), facts)
    hung: list[EngineHangs] = []
    address = folder / "engine"
    with Listener(str(address), "AF_UNIX", 8) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):  # the listener is closed
                host.accept(listener)

        threading.Thread(target=accept, daemon=True).start()
        yield Hosted(host, SharedEngines({"live": address}, hung.append), hung)
