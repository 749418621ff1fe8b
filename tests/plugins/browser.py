"""A headless Chromium with a page, driven by Playwright, and folders that it can open."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.plugins.npm import fetched

CHROMIUM = Path("/usr/bin/chromium")
HAS_BROWSER = CHROMIUM.exists() and shutil.which("npm") is not None
PLAYWRIGHT = ("playwright-core@1.65.1", "6f5a60be62a4fddfbe7d10c448d8fbd54547da3358f2f8a04211440471ee863e")

_SCRIPTS = (Path(__file__).with_name("browser.mjs"), Path(__file__).parents[2] / "viewer/test/chromium.mjs")


@asynccontextmanager
async def browser(folder: Path, wav: Path | None = None) -> AsyncIterator["Browser"]:
    """Open one; `folder` keeps what drives it, `wav` is what its microphone hears."""
    fetched(folder, "node_modules/playwright-core", *PLAYWRIGHT)
    script, _ = (shutil.copy(path, folder) for path in _SCRIPTS)
    process = await asyncio.create_subprocess_exec(
        "node", str(script), env=os.environ | {"WAV": str(wav or "")}, limit=1 << 26,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    found = Browser(process)
    try:
        yield found
    finally:
        await found.close()


class Browser:
    """A page at work. What the engine prints is kept; `errors` are its errors, those of GDScript among them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.printed: list[str] = []
        self.errors: list[str] = []
        self.alerts: list[str] = []
        self._process = process
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def open(self, url: str) -> None:
        """Load a page."""
        await self._ask(do="open", url=url)

    async def evaluate(self, code: str) -> Any:
        """What some JavaScript says on the page."""
        return await self._ask(do="evaluate", code=code)

    async def serve(self, address: str, folder: Path) -> None:
        """What the page asks of `address`, it finds in a folder: nothing comes from the net."""
        await self._ask(do="serve", address=address, folder=str(folder))

    async def screenshot(self, path: Path) -> None:
        """A PNG of what is shown."""
        await self._ask(do="screenshot", path=str(path))

    async def until(self, code: str) -> Any:
        """Wait for JavaScript to say something true; pytest's timeout ends a test for which it never does."""
        while not (said := await self.evaluate(code)):
            await asyncio.sleep(0.1)
        return said

    async def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def _ask(self, **task: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task).encode() + b"\n")
        told = await self._answers.get()
        assert "failed" not in told, told["failed"]
        return told["answer"]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "console" not in told:
                self._answers.put_nowait(told)
                continue
            heard = {"error": self.errors, "alert": self.alerts}
            heard.get(told["console"], self.printed).append(told["text"])
        self._answers.put_nowait({"failed": f"the browser has ended; it said {self.errors}"})


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP, on a free port of this machine."""
    handler: Callable[..., _Quiet] = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass
