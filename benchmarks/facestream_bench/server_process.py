"""A server in a process of its own, as a user runs it: how long it takes to be ready, what it uses and holds."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO

import psutil

from facestream.settings import Settings
from facestream.transports import event_loop
from facestream.transports.fronts import serve_with_fronts
from facestream.transports.ports import Addresses
from facestream.transports.server import Server, serve

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Holdings:
    """What a server holds: streams whose transport has not left them, rows of models, tasks of its loop; and threads,
    open files and memory of the process.
    """

    streams: int
    rows: int
    tasks: int
    threads: int = 0
    files: int = 0
    memory_mb: float = 0.0


@dataclass(frozen=True)
class ServerProcess:
    """A running server: its address, and the seconds from the start of the process to the first caller let in."""

    address: str
    ready_s: float
    process_id: int
    questions: IO[str]
    answers: IO[str]
    web_address: str
    """Of WebSockets; empty where the settings ask for none."""

    def resident_mb(self) -> float:
        """Memory held now, MB, with its helper processes."""
        return float(sum(one.memory_info().rss for one in self._processes())) / _MEGABYTE

    def processor_s(self) -> float:
        """Seconds of processor time used so far, with its helper processes."""
        times = [one.cpu_times() for one in self._processes()]
        return float(sum(one.user + one.system for one in times))

    def carrying_s(self) -> float:
        """The part of it that the one process with the transports used: messages, and no engine of its own process."""
        times = psutil.Process(self.process_id).cpu_times()
        return float(times.user + times.system)

    def holdings(self) -> Holdings:
        """What it holds now, files and threads of helper processes included."""
        self.questions.write("\n")
        self.questions.flush()
        told = json.loads(self.answers.readline())
        processes = self._processes()
        threads = sum(one.num_threads() for one in processes)
        files = sum(one.num_fds() if hasattr(one, "num_fds") else 0 for one in processes)
        return Holdings(**{**told, "threads": threads, "files": files, "memory_mb": self.resident_mb()})

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self.process_id)
        return [server, *server.children(recursive=True)]


@contextmanager
def running_server(model: str, max_streams: int, **settings: object) -> Iterator[ServerProcess]:
    """Start a server on a free port, and end it; `settings` are more of `facestream.settings`, as JSON has them."""
    started = time.perf_counter()
    given = {"port": 0, "drain_grace_s": 0.5, "model": model, "max_streams": max_streams, **settings}
    command = [sys.executable, "-m", "facestream_bench.server_process", json.dumps(given)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        address, _, web_address = process.stdout.readline().strip().partition(" ")
        if not address:
            raise RuntimeError(f"the server did not start (exit code {process.wait(10)}); its message stands above")
        ready_s = time.perf_counter() - started
        yield ServerProcess(address, ready_s, process.pid, process.stdin, process.stdout, web_address)
    finally:
        process.terminate()
        process.wait(20)
        process.stdin.close()
        process.stdout.close()


def held_by(server: Server) -> Holdings:
    """What a server in this process holds. Asked in its own loop."""
    rows = sum(pipeline.open_count for pipeline in server.host.pipelines)
    return Holdings(len(server.host.streams), rows, len(asyncio.all_tasks()))


def main() -> None:
    """Serve with the settings given as a JSON object, print its addresses when ready, and answer each line of the input
    with what is held; of a server of several processes nobody asks that.
    """
    settings = Settings.load(**json.loads(sys.argv[1]))

    def announce(addresses: Addresses) -> None:
        print(addresses.grpc, addresses.web or "", flush=True)

    def ready(server: Server) -> None:
        loop = asyncio.get_running_loop()

        def answer() -> None:
            print(json.dumps(asdict(held_by(server))), flush=True)

        def listen() -> None:
            for _ in sys.stdin:
                loop.call_soon_threadsafe(answer)

        threading.Thread(target=listen, daemon=True).start()
        announce(server.addresses)

    if settings.front_processes > 1:
        serve_with_fronts(settings, on_ready=announce)
    else:
        event_loop.run(serve(settings, on_ready=ready))


if __name__ == "__main__":
    main()
