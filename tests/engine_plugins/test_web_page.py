"""The page of docs/web.md as it is written there, in headless Chromium: its mouth moves while it speaks."""

import asyncio
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from facestream.audio.example import EXAMPLE
from facestream.files.gltf_head import shipped_head_glb
from facestream_bench.server_process import running_server
from tests.docs.markdown import blocks
from tests.plugins.browser import HAS_BROWSER, Browser, browser, serving
from tests.plugins.npm import fetched
from tests.plugins.web_build import built_package

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

THREE = ("three@0.187.0", "ff540832ded0cfe919764d24a3d88f3e2a05f23303f876423e4f893841e90728")
SECONDS, RATE_HZ = 3.5, 16000
MOUTH, FOREHEAD = np.s_[200:250, 205:275], np.s_[50:115, 180:300]
"""Where in the picture."""
OPENED = 120
"""Pixels of the mouth that are otherwise than at rest."""
NO_MICROPHONE = """import("@facestream/web").then(({ Capture }) =>
  Capture.microphone(new AudioContext(), () => {}, { constraints: { deviceId: { exact: "none" } } })
).then(() => "there is one", ({ reason, message }) => `${reason}: ${message}`)"""


@dataclass(frozen=True)
class Outcome:
    """Pictures of the page, which pixels of them are otherwise than at rest, and what it said."""

    pictures: Mapping[str, Path]
    errors: list[str]
    alerts: list[str]
    no_microphone: str

    def changed(self, name: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        return changed(self.pictures["rest"], self.pictures[name])


def changed(first: Path, second: Path) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Whose brightness differs."""
    one, other = (np.asarray(Image.open(path).convert("L")).astype(int) for path in (first, second))
    return np.abs(one - other) > 12


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    if not HAS_BROWSER:
        pytest.skip("Chromium or npm is not here: apt-get install chromium npm")
    cache = Path(request.config.cache.mkdir("plugins"))
    return asyncio.run(story(cache, tmp_path_factory.mktemp("page")))


async def story(cache: Path, folder: Path) -> Outcome:
    (html,) = (block.text for block in blocks("html") if block.page.name == "web.md")
    (talk, *_) = (block.text for block in blocks("js") if block.page.name == "web.md")
    assert set(re.findall(r"https://unpkg.com/([^/]+)/", html)) == {THREE[0]}
    site = folder / "site"
    shutil.copytree(built_package(cache) / "dist", site / "facestream")
    (site / "index.html").write_text(html)
    shutil.copyfile(shipped_head_glb(), site / "head.glb")
    samples, _ = soundfile.read(EXAMPLE, dtype="int16")
    soundfile.write(site / "speech.wav", samples[: int(SECONDS * RATE_HZ)], RATE_HZ, subtype="PCM_16")
    with serving(site) as url:
        async with browser(cache / "browser") as page:
            await page.serve(f"https://unpkg.com/{THREE[0]}", fetched(cache / "three", THREE[0], *THREE))
            with running_server("live", 2, websocket_port=0, websocket_origins=[url]) as server:
                (site / "talk.js").write_text(talk.replace("ws://localhost:8080", f"ws://{server.web_address}"))
                await page.open(f"{url}/index.html")
                await page.until("document.getElementById('speak').onclick !== null")
                pictures = await speaks(page, folder)
            no_microphone = await page.evaluate(NO_MICROPHONE)
            await page.evaluate("document.getElementById('speak').click()")
            while not page.alerts:
                await asyncio.sleep(0.1)
        return Outcome(pictures, page.errors, page.alerts, no_microphone)


async def speaks(page: Browser, folder: Path) -> Mapping[str, Path]:
    """Pictures at rest, of two different moments of the speech, and when all is said."""
    pictures = {name: folder / f"{name}.png" for name in ("rest", "open", "later", "end")}
    await page.screenshot(pictures["rest"])
    await page.evaluate("document.getElementById('speak').click()")

    async def until(name: str, least: int, most: int, like: str = "rest") -> None:
        while True:
            await page.screenshot(pictures[name])
            if least <= changed(pictures[like], pictures[name])[MOUTH].sum() <= most:
                return

    await until("open", OPENED, 10**6)
    await until("later", OPENED, 10**6, like="open")
    await until("end", 0, OPENED // 10)
    return pictures


def test_the_mouth_moves_while_it_speaks(outcome: Outcome) -> None:
    assert outcome.errors == [line for line in outcome.errors if line.startswith("WebSocket connection to")]
    assert outcome.changed("open")[MOUTH].sum() >= OPENED
    assert changed(outcome.pictures["open"], outcome.pictures["later"])[MOUTH].sum() >= OPENED
    assert outcome.changed("open")[FOREHEAD].sum() < OPENED / 10, "and not the whole picture"


def test_what_is_wrong_is_one_sentence(outcome: Outcome) -> None:
    (alert,) = outcome.alerts
    assert re.fullmatch(r"no connection to ws://127.0.0.1:\d+; is the server running there with [^\n]*\?", alert)
    assert outcome.no_microphone.startswith("NO_MICROPHONE: no microphone (")
    assert "allow the page to use one" in outcome.no_microphone
