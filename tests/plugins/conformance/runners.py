"""How each client is built and run."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.plugins.build_once import build_once
from tests.plugins.conformance.stage import Stage
from tests.plugins.cpp_build import CLIENT, HAS_CLIENT_TOOLS, build
from tests.plugins.dotnet.toolchain import DotNet
from tests.plugins.godot.engine import ADDON, RUNNER, GodotWeb
from tests.plugins.unity.core_program import built as built_program
from tests.plugins.unreal.build import stage as unreal_stage
from tests.plugins.web_build import built_package

LONGEST_S = 300
"""Of a runner on a machine that is busy otherwise; the cases take twelve seconds."""


@dataclass(frozen=True)
class Runner:
    """A client's program: it is called with these words, the plan, and where the report goes."""

    transport: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def _python(cache: Path) -> Runner:
    del cache
    return Runner("grpc", (sys.executable, "-m", "tests.plugins.conformance.python_client"))


def _compiled(program: Callable[[], Path]) -> Runner | None:
    if not HAS_CLIENT_TOOLS:
        return None
    # without what this process tells newer gRPC than the client's
    calm = {key: value for key, value in os.environ.items() if key != "GRPC_EXPERIMENTS"}
    return Runner("grpc", (str(program()),), calm)


def _unity(cache: Path, transport: str) -> Runner | None:
    if not shutil.which("npm"):
        return None
    dotnet = DotNet(cache.parent / "dotnet")
    words = dotnet.command(built_program(dotnet, cache) / "Program.dll", "conform")
    return Runner(transport, words, dotnet.environment)


def _web(cache: Path) -> Runner | None:
    if not shutil.which("npm"):
        return None
    script = built_package(cache) / "build/test/conformance.js"
    return Runner("websocket", ("node", "--experimental-websocket", str(script)))


def _page(folder: Callable[[], Path], page: str) -> Runner | None:
    if not shutil.which("npm") or not shutil.which("chromium"):
        return None
    return Runner("websocket", (sys.executable, "-m", "tests.plugins.conformance.page", str(folder()), page))


def _godot(cache: Path) -> Path:
    godot = GodotWeb(cache.parent / "godot")
    sources = [path for source in (ADDON, RUNNER) for path in source.rglob("*.gd")]
    return build_once(cache / "godot", sources, godot.write_runner)


CLIENTS: Mapping[str, Callable[[Path], Runner | None]] = {
    "python": _python,
    "cpp": lambda _: _compiled(lambda: build(CLIENT, "release") / "facestream-conformance"),
    "cpp-sanitized": lambda _: _compiled(lambda: build(CLIENT, "asan-ubsan") / "facestream-conformance"),
    "unreal": lambda _: _compiled(unreal_stage),
    "unity": lambda cache: _unity(cache, "grpc"),
    "unity-websocket": lambda cache: _unity(cache, "websocket"),
    "web": _web,
    "web-page": lambda cache: _page(lambda: built_package(cache), "test/conformance.html"),
    "godot": lambda cache: _page(lambda: _godot(cache), "index.html"),
}
"""How the runner of each client is built, in the folder that is given; nothing where its tools are missing."""


def runners(cache: Path, names: Iterable[str] = CLIENTS) -> dict[str, Runner]:
    """Of some clients, as far as their tools are here; `cache` keeps what is built."""
    found = {name: CLIENTS[name](cache) for name in names}
    return {name: runner for name, runner in found.items() if runner is not None}


async def played(stage: Stage, runner: Runner, folder: Path) -> dict[str, Any]:
    """The report of a runner that has played; raises `AssertionError` with what it says where it does not end well."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    plan, report = folder / "plan.txt", folder / "report.json"
    async with stage.plan(runner.transport) as cases:
        plan.write_text("\n".join(case.line for case in cases) + "\n")
        process = await asyncio.create_subprocess_exec(
            *runner.words, str(plan), str(report), env=runner.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            told, _ = await asyncio.wait_for(process.communicate(), LONGEST_S)
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0, f"{runner.words[0]} ended with {process.returncode}\n{told.decode()[-4000:]}"
    found: dict[str, Any] = json.loads(report.read_text())
    return found
