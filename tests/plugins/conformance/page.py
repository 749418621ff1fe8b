"""A runner for clients that live in a page: serves it, opens it in Chromium, waits for its report.

    python -m tests.plugins.conformance.page FOLDER PAGE plan.txt report.json

The page finds `?plan=` and `?report=` in its address, and in the plan addresses where there were paths.
"""

import functools
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHROMIUM = (
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--no-first-run", "--disable-background-networking",
    "--enable-logging=stderr",
)  # fmt: skip
LONGEST_S = 290


class Host(SimpleHTTPRequestHandler):
    """A folder, the plan, the recordings that it names; and the report, once it comes."""

    server: "HostServer"

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].lstrip("/")
        content = self.server.files.get(name)
        if content is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.server.report = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.has_come.set()

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *words: object) -> None:
        """Says nothing."""


class HostServer(ThreadingHTTPServer):
    """On a free port; what it serves beside the folder, and what it was sent."""

    def __init__(self, folder: Path, plan: str) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(Host, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.report = b""
        self.has_come = threading.Event()
        self.files: dict[str, bytes] = {}
        for word in {word for word in plan.split() if word.startswith("audio=")}:
            path = Path(word.removeprefix("audio="))
            self.files[path.name] = path.read_bytes()
            plan = plan.replace(word, f"audio={self.url}/{path.name}")
        self.files["plan.txt"] = plan.encode()


@contextmanager
def host(folder: Path, plan: str) -> Iterator[HostServer]:
    """Serves until it is left."""
    with HostServer(folder, plan) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()


def main() -> int:
    """Exit code: 0 once a report has come."""
    folder, page, plan, report = Path(sys.argv[1]), *sys.argv[2:]
    with (
        host(folder, Path(plan).read_text()) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryFile("w+") as said,
    ):
        address = f"{server.url}/{page}?plan={server.url}/plan.txt&report={server.url}/report"
        with subprocess.Popen([*CHROMIUM, f"--user-data-dir={profile}", address], stdout=said, stderr=said) as browser:
            has_come = server.has_come.wait(LONGEST_S)
            browser.terminate()
        Path(report).write_bytes(server.report)
        if not has_come:
            said.seek(0)
            print(f"no report within {LONGEST_S} s\n{said.read()[-3000:]}")
    return 0 if has_come else 1


if __name__ == "__main__":
    sys.exit(main())
