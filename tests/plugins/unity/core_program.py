"""The Core of the Unity package as a program: built here, run beside a server of the test."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facestream.types import Float32
from tests.docs.markdown import blocks
from tests.plugins.build_once import build_once
from tests.plugins.dotnet.toolchain import Assembly, DotNet

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "engine_plugins/unity/com.facestream.unity"
HERE = Path(__file__).parent

_ROW = np.dtype([("index", "<i8"), ("row", "<f4", 64)])


def build(dotnet: DotNet, into: Path) -> None:
    """Compile everything of the package that can be, its guide's scripts too, and what the tests need."""
    guide = into / "guide"
    guide.mkdir(parents=True)
    for block in blocks("csharp"):
        (guide / f"{block.page.stem}_{block.line}.cs").write_text(block.text)
    dotnet.compile(
        into,
        [
            Assembly("Facestream.Core", (PACKAGE / "Runtime/Core",)),
            Assembly("Facestream.Tests", (PACKAGE / "Tests/Runtime",), ("Facestream.Core", str(dotnet.nunit))),
            Assembly("Runner", (HERE / "runner",), (str(dotnet.nunit),), is_program=True),
            Assembly("ForeignTypes", (HERE / "foreign_types",), is_program=True),
            Assembly("UnityEngine", (HERE / "stubs/UnityEngine",)),
            Assembly("UnityEditor", (HERE / "stubs/UnityEditor",), ("UnityEngine",)),
            Assembly("Facestream.Unity", (PACKAGE / "Runtime/Unity",), ("Facestream.Core", "UnityEngine")),
            Assembly(
                "Facestream.Unity.WebGL",
                (PACKAGE / "Runtime/Unity",),
                ("Facestream.Core", "UnityEngine"),
                symbols=("UNITY_WEBGL",),
            ),
            Assembly(
                "Facestream.Editor",
                (PACKAGE / "Editor",),
                ("Facestream.Core", "Facestream.Unity", "UnityEngine", "UnityEditor"),
            ),
            Assembly("Samples", (PACKAGE / "Samples~",), ("Facestream.Core", "Facestream.Unity", "UnityEngine")),
            Assembly(
                "Stage",
                (HERE / "stage",),
                ("Facestream.Core", "Facestream.Unity", "Facestream.Editor", "UnityEngine", "UnityEditor"),
                is_program=True,
            ),
            Assembly("Guide", (guide,), ("Facestream.Core", "Facestream.Unity", "UnityEngine")),
            Assembly("Program", (HERE / "program",), ("Facestream.Core",), is_program=True),
        ],
    )
    shutil.copy(dotnet.nunit, into)


def built(dotnet: DotNet, cache: Path) -> Path:
    """The folder with all of it, compiled by whichever test comes first."""
    sources = [*PACKAGE.rglob("*.cs"), *HERE.rglob("*.cs"), *{block.page for block in blocks("csharp")}]
    return build_once(cache / "unity", sources, lambda folder: build(dotnet, folder))


@dataclass(frozen=True)
class Told:
    """What the program said: its report, and the frames it was given."""

    report: dict[str, Any]
    first_frame: int
    rows: Float32
    """`[F, 64]`: 52 weights, then the rotations of head, left and right eye as x y z w."""

    @property
    def weights(self) -> Float32:
        return self.rows[:, :52]


class CoreProgram:
    """Runs the program's commands."""

    def __init__(self, dotnet: DotNet, folder: Path, scratch: Path) -> None:
        self._dotnet, self._folder, self._scratch = dotnet, folder, scratch

    async def run(self, verb: str, pcm: Float32 | None = None, **options: object) -> Told:
        """Run one command; the program must end by itself and well."""
        words = [verb]
        if pcm is not None:
            words += ["--pcm", str(self._written(pcm))]
        frames = self._scratch / "frames.bin"
        frames.unlink(missing_ok=True)
        words += ["--frames", str(frames)] if verb == "stream" else []
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        out = await self._out("Program.dll", *words)
        rows = np.frombuffer(frames.read_bytes() if frames.exists() else b"", _ROW)
        indices = rows["index"]
        assert np.array_equal(indices, np.arange(len(rows)) + (indices[0] if len(rows) else 0)), "every frame, once"
        return Told(json.loads(out), int(indices[0]) if len(rows) else -1, rows["row"])

    async def stage(self, what: str, server: str, pcm: Float32, token: str = "") -> dict[str, Any]:
        """Let the components play on the stage of stubs."""
        told: dict[str, Any] = json.loads(await self._out("Stage.dll", what, server, str(self._written(pcm)), token))
        return told

    def _written(self, pcm: Float32) -> Path:
        path = self._scratch / "speech.pcm"
        path.write_bytes(np.clip(np.rint(pcm * 32768), -32768, 32767).astype("<i2").tobytes())
        return path

    async def _out(self, program: str, *words: str) -> bytes:
        running = await asyncio.create_subprocess_exec(
            *self._dotnet.command(self._folder / program, *words),
            env=self._dotnet.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, error = await running.communicate()
        finally:
            if running.returncode is None:
                running.kill()
        assert running.returncode == 0, error.decode()
        return out
