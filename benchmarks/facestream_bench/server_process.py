"""A server in a process of its own, as a user runs it: how long it takes to be ready, how much memory it holds."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facestream.settings import Settings
from facestream.transports.server import serve


@dataclass(frozen=True)
class ServerProcess:
    """A running server: its address, and the seconds from the start of the process to the first caller let in."""

    address: str
    ready_s: float
    process_id: int

    def resident_mb(self) -> float:
        """Memory held now, MB; 0 where the system does not tell."""
        status = Path(f"/proc/{self.process_id}/status")
        if not status.exists():
            return 0.0
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def processor_s(self) -> float:
        """Seconds of processor time used so far; 0 where the system does not tell."""
        stat = Path(f"/proc/{self.process_id}/stat")
        if not stat.exists():
            return 0.0
        fields = stat.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_server(model: str, max_streams: int) -> Iterator[ServerProcess]:
    """Start a server on a free port, and end it."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "facestream_bench.server_process", model, str(max_streams)]
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
    """Serve `MODEL` for at most `MAX_STREAMS`, and print the address when ready."""
    settings = Settings.load(port=0, model=sys.argv[1], max_streams=int(sys.argv[2]), drain_grace_s=0.5)
    asyncio.run(serve(settings, on_ready=lambda server: print(server.address, flush=True)))


if __name__ == "__main__":
    main()
