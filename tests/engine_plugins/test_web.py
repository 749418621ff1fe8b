"""The package for browsers and Node: built, packed, and run against a real server."""

import asyncio
import contextlib
import json
import re
import subprocess
import wave
from pathlib import Path

import pytest

from tests.docs.markdown import blocks
from tests.plugins.scripted import FAULTS, websocket_server
from tests.plugins.web_build import PACKAGE, built_package, run
from tests.transports.loopback import loopback, speech

TOKEN = "sésame"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # npm fetches, on a machine that is busy otherwise


@pytest.fixture(scope="module")
def package(request: pytest.FixtureRequest) -> Path:
    return built_package(Path(request.config.cache.mkdir("plugins")))


@pytest.mark.asyncio
async def test_against_a_real_server(package: Path) -> None:
    async with loopback(websocket_port=0) as server, loopback(websocket_port=0, tokens=(TOKEN,)) as guarded:
        told = await asyncio.to_thread(
            run, "node", "--experimental-websocket", "--test", "build/test/client.test.js", folder=package,
            FACESTREAM_URL=f"ws://{server.server.web_address}",
            FACESTREAM_GUARDED_URL=f"ws://{guarded.server.web_address}",
        )  # fmt: skip
        assert "# fail 0" in told
        assert "# skipped 0" in told
        assert int(re.findall(r"# pass (\d+)", told)[0]) >= 10
        assert server.open_rows == 0


@pytest.mark.asyncio
async def test_servers_of_another_kind_are_told(package: Path) -> None:
    async with contextlib.AsyncExitStack() as servers:
        kinds = {what: answers for what, answers in FAULTS.items() if answers is not None}
        faults = {what: await servers.enter_async_context(websocket_server(kinds[what])) for what in kinds}
        faults["no TLS"] = faults["other version"].replace("ws:", "wss:")
        told = await asyncio.to_thread(
            run, "node", "--experimental-websocket", "--test", "build/test/faults.test.js", folder=package,
            FACESTREAM_FAULTS=json.dumps(faults),
        )  # fmt: skip
    assert "# fail 0" in told
    assert f"# pass {len(faults)}" in told


@pytest.mark.asyncio
async def test_ten_lines_of_the_readme_with_the_packed_package(package: Path, tmp_path: Path) -> None:
    _install_packed(package, tmp_path)
    text = (PACKAGE / "README.md").read_text().split("```js\n")[1].split("```")[0]
    assert 8 <= sum(bool(line.strip()) for line in text.splitlines()) <= 12
    (tmp_path / "package.json").write_text('{"type": "module"}')
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((speech(1.0) * 32767).astype("<i2").tobytes())
    async with loopback(websocket_port=0) as server:
        (tmp_path / "jaw.js").write_text(text.replace("ws://localhost:8080", f"ws://{server.server.web_address}"))
        told = await asyncio.to_thread(run, "node", "--experimental-websocket", "jaw.js", folder=tmp_path)
    lines = [line.split() for line in told.splitlines()]
    assert lines[0][0] == "0"
    assert max(float(jaw) for _, jaw in lines) > 0.2


def test_the_script_of_the_guide_uses_what_there_is(package: Path) -> None:
    (talk, *_) = [block.text for block in blocks("js") if block.page.name == "web.md"]
    folder = package / "guide"
    folder.mkdir(exist_ok=True)
    (folder / "talk.js").write_text(talk)
    (folder / "wrong.js").write_text(talk.replace("playback.at(", "playback.face("))
    (folder / "three.d.ts").write_text('declare module "three";\ndeclare module "three/addons/*";\n')
    words = (
        "--noEmit --checkJs --allowJs --target es2022 --module nodenext --lib ES2022,DOM,DOM.Iterable,DOM.AsyncIterable"
    )
    files = [str(folder / name) for name in ("talk.js", "wrong.js", "three.d.ts")]
    told = subprocess.run(
        ["npx", "tsc", *words.split(), *files], cwd=package, capture_output=True, text=True, check=False
    )
    lines = [line for line in told.stdout.splitlines() if ": error " in line]
    assert len(lines) == 1, told.stdout
    assert lines[0].startswith("guide/wrong.js"), told.stdout


def _install_packed(package: Path, where: Path) -> None:
    run("npm", "pack", "--ignore-scripts", "--pack-destination", str(where), folder=package)
    (packed,) = where.glob("*.tgz")
    home = where / "node_modules" / "@facestream"
    home.mkdir(parents=True)
    run("tar", "-xzf", str(packed), "-C", str(home), folder=where)
    (home / "package").rename(home / "web")
    assert not list(home.rglob("*.test.*"))


def test_the_lock_names_no_registry() -> None:
    lock = (PACKAGE / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert "resolved" not in lock
    assert "://" not in lock.replace("https://opencollective.com", "")
