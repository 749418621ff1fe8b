"""A server in a process of its own, as a user runs it: how long it takes to be ready, how much memory it holds."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from facestream.settings import Settings
from facestream.transports.server import serve

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class ServerProcess:
    """A running server: its address, and the seconds from the start of the process to the first caller let in."""

    address: str
    ready_s: float
    process_id: int

    def resident_mb(self) -> float:
        """Memory held now, MB, with its helper processes."""
        return float(sum(one.memory_info().rss for one in self._processes())) / _MEGABYTE

    def processor_s(self) -> float:
        """Seconds of processor time used so far, with its helper processes."""
        times = [one.cpu_times() for one in self._processes()]
        return float(sum(one.user + one.system for one in times))

    def thread_count(self) -> int:
        """Threads now."""
        return sum(one.num_threads() for one in self._processes())

    def open_file_count(self) -> int:
        """Files, sockets and pipes that are open now; 0 where the system does not tell."""
        return sum(one.num_fds() if hasattr(one, "num_fds") else 0 for one in self._processes())

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self.process_id)
        return [server, *server.children(recursive=True)]


@contextmanager
def running_server(model: str, max_streams: int, **settings: object) -> Iterator[ServerProcess]:
    """Start a server on a free port, and end it; `settings` are more of `facestream.settings`, as JSON has them."""
    started = time.perf_counter()
    given = {"port": 0, "drain_grace_s": 0.5, "model": model, "max_streams": max_streams, **settings}
    command = [sys.executable, "-m", "facestream_bench.server_process", json.dumps(given)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the server did not start (exit code {process.wait(10)}); its message stands above")
        yield ServerProcess(address, time.perf_counter() - started, process.pid)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def main() -> None:
    """Serve with the settings given as a JSON object, and print the address when ready."""
    settings = Settings.load(**json.loads(sys.argv[1]))
    asyncio.run(serve(settings, on_ready=lambda server: print(server.address, flush=True)))


if __name__ == "__main__":
    main()
