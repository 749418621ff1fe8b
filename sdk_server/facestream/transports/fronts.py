"""Several processes that serve clients, on the same ports and beside one engine.

    facestream serve --front-processes N

    this process: ports, who lives and who is started again
     ├─ an engine for each `live` model      serving/engine_host
     ├─ front 0: a server without an engine  transports/front
     └─ front 1 ...

One front carries what a core carries of messages, some 200 streams; the engine's batches are those of all fronts. A
front that dies takes its own streams along, which resume on the others; an engine that dies is started again, and all
streams resume.
"""

import contextlib
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NamedTuple

from facestream.engines.bundle import open_bundle
from facestream.errors import EngineError, FacestreamError, InvalidValue
from facestream.serving.admission import no_open_streams
from facestream.serving.engine_host import EngineHostJob
from facestream.serving.helper_process import READY, HelperProcess, start_thread
from facestream.serving.pipelines import can_compute_elsewhere
from facestream.serving.shared_engine import EngineHangs
from facestream.settings import Settings
from facestream.transports.front import FrontJob
from facestream.transports.ports import CAN_BE_SHARED, Addresses, reserved_ports
from facestream.transports.server import engine_options_of

log = logging.getLogger(__name__)

_SHORTEST_LIFE_S = 1.0
"""A process that ends sooner than this after its start is not started again before."""
_LAST_WORDS_S = 5.0
"""For fronts to end behind their grace time."""


class _News(NamedTuple):
    """What a helper told, or `None`: it has ended."""

    keeper: "_Keeper"
    told: object


class _Keeper:
    """Keeps a helper process running: another one is started whenever it ends by itself."""

    def __init__(self, name: str, module: str, job: object, tell: Callable[[_News], None]) -> None:
        self.name = name
        self._module = module
        self._job = job
        self._tell = tell
        self._process: HelperProcess | None = None
        self._is_ready = False
        self._is_ending = threading.Event()
        self._changing = threading.Lock()
        start_thread(self._keep)

    @property
    def is_running(self) -> bool:
        with self._changing:
            return self._process is not None and not self._process.has_ended

    def ask_to_end(self) -> None:
        """Let it finish what it has begun, if it has; then no other one is started."""
        with self._changing:
            self._is_ending.set()
            if self._process is None:
                return
            if self._is_ready:
                self._process.ask_to_end()
            else:
                self._process.end()

    def end(self, process_id: int | None = None) -> None:
        """At once; where a process is named, that one only, and another one is started."""
        with self._changing:
            if process_id is None:
                self._is_ending.set()
            if self._process is not None and process_id in (None, self._process.process_id):
                self._process.end()

    def _keep(self) -> None:
        while True:
            with self._changing:
                if self._is_ending.is_set():
                    return
                self._is_ready = False
                self._process = HelperProcess(self._module)
            began_s = time.monotonic()
            self._follow(self._process)
            self._tell(_News(self, None))
            self._is_ending.wait(began_s + _SHORTEST_LIFE_S - time.monotonic())

    def _follow(self, process: HelperProcess) -> None:
        (pipe,) = process.pipes
        with pipe, contextlib.suppress(EOFError, OSError):
            pipe.send(self._job)
            while True:
                told = pipe.recv()
                self._is_ready |= told == READY
                self._tell(_News(self, told))
        if not process.wait(_LAST_WORDS_S):
            process.end()


def serve_with_fronts(
    settings: Settings, *, on_ready: Callable[[Addresses], None], stop_when_ready: bool = False
) -> None:
    """Run until SIGTERM or SIGINT, then let all fronts drain; a second signal cuts the grace time short.

    For the main thread. Raises `InvalidValue` for a port that is taken and where the system does not share ports, and
    what a front or an engine has against its start.
    """
    if not CAN_BE_SHARED:
        allowed = "1; on Linux only, callers of a port are spread over several processes"
        raise InvalidValue("front_processes", settings.front_processes, allowed)
    news: queue.SimpleQueue[_News | signal.Signals] = queue.SimpleQueue()
    with (
        _signals_told(news.put),
        reserved_ports(settings) as reserved,
        TemporaryDirectory(prefix="facestream-") as folder,
    ):
        engines, fronts = _started(reserved, Path(folder), news.put)
        try:
            addresses = Addresses(reserved, reserved.port, reserved.web_port)
            _watch(news, engines, fronts, lambda: on_ready(addresses), stop_when_ready=stop_when_ready)
        finally:
            _end(news, fronts, time.monotonic() + settings.drain_grace_s + _LAST_WORDS_S)
            for engine in engines:
                engine.end()


def _started(
    settings: Settings, folder: Path, tell: Callable[[_News], None]
) -> tuple[Sequence[_Keeper], Sequence[_Keeper]]:
    """Engines and fronts, starting all at once: a front waits for the engines that it needs."""
    engine, logs = engine_options_of(settings), (settings.log_format, settings.log_level)
    bundles = {model: open_bundle(model) for model in settings.models}
    jobs = {
        model: EngineHostJob(bundle.folder, engine, folder / f"engine{number}", *logs)
        for number, (model, bundle) in enumerate(bundles.items())
        if can_compute_elsewhere(bundle)
    }
    count = settings.front_processes
    open_streams = folder / "open_streams"
    no_open_streams(count).tofile(open_streams)
    # what can not be shared is divided, so that all fronts together keep to the settings
    values = settings.model_dump() | {
        "ace_upload_bytes": max(1024, settings.ace_upload_bytes // count),
        "websocket_connections": -(-settings.websocket_connections // count),
    }
    sockets = {model: job.address for model, job in jobs.items()}
    engines = [
        _Keeper(f"the engine of {model}", "facestream.serving.engine_host", job, tell) for model, job in jobs.items()
    ]
    fronts = [
        _Keeper(f"front {front}", "facestream.transports.front", FrontJob(values, front, open_streams, sockets), tell)
        for front in range(count)
    ]
    return engines, fronts


def _watch(
    news: "queue.SimpleQueue[_News | signal.Signals]",
    engines: Sequence[_Keeper],
    fronts: Sequence[_Keeper],
    announce: Callable[[], None],
    *,
    stop_when_ready: bool,
) -> None:
    """Return when a signal asks for the end. Until all are ready for the first time, whatever goes wrong is raised."""
    awaited = {*engines, *fronts}
    while True:
        item = news.get()
        if isinstance(item, signal.Signals):
            log.info("stopping", extra={"signal": item.name})
            return
        keeper, told = item
        if told == READY and keeper in awaited:
            awaited.remove(keeper)
            if not awaited:
                announce()
                if stop_when_ready:
                    return
        elif isinstance(told, EngineHangs):
            log.error("an engine hangs; starting another", extra={"told_by": keeper.name})
            for engine in engines:
                engine.end(told.process_id)
        elif isinstance(told, FacestreamError):
            if awaited:
                raise told
            log.error("%s could not be started again: %s", keeper.name, told)
        elif told is None:
            if awaited:
                raise EngineError(f"{keeper.name} ended before all was ready; its last words stand above")
            log.error("%s has ended; starting another", keeper.name)


def _end(news: "queue.SimpleQueue[_News | signal.Signals]", fronts: Sequence[_Keeper], until_s: float) -> None:
    """Let the fronts drain; those that have not ended by `until_s` are ended."""
    for front in fronts:
        front.ask_to_end()
    left = {front for front in fronts if front.is_running}
    while left:
        try:
            item = news.get(timeout=max(0.0, until_s - time.monotonic()))
        except queue.Empty:
            for front in left:
                front.end()
            return
        if isinstance(item, signal.Signals):
            for front in left:
                front.ask_to_end()
        elif item.told is None:
            left.discard(item.keeper)


@contextlib.contextmanager
def _signals_told(tell: Callable[[signal.Signals], None]) -> Iterator[None]:
    def note(number: int, frame: FrameType | None) -> None:
        del frame
        tell(signal.Signals(number))

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
