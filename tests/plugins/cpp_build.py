"""Builds of the C++ plugins by their own presets, one at a time."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.plugins.build_once import locked

PLUGINS = Path(__file__).resolve().parents[2] / "engine_plugins"
CORE, CLIENT = PLUGINS / "core_cpp", PLUGINS / "client_cpp"
HAS_CORE_TOOLS = all(map(shutil.which, ("cmake", "g++"))) and Path("/usr/include/gtest/gtest.h").exists()
HAS_CLIENT_TOOLS = HAS_CORE_TOOLS and shutil.which("grpc_cpp_plugin") is not None


def build(source: Path, preset: str) -> Path:
    """The folder with what `preset` makes of `source`; a failed build's last lines are the message of the error."""
    folder = source / "build" / preset
    with locked(folder):
        for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset]):
            built = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
            assert built.returncode == 0, "\n".join((built.stdout + built.stderr).splitlines()[-30:])
    return folder


def sanitizers_of(program: Path) -> set[str]:
    """Which ones look on while it runs: asan, ubsan, tsan."""
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True)
    return set(re.findall(r"^\s*lib(\w+)\.so", told.stdout, re.MULTILINE)) & {"asan", "ubsan", "tsan"}


def run_tests(program: Path) -> str:
    """What a GoogleTest program says; it must have run tests, and all of them well."""
    told = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-4000:]
    assert "[  PASSED  ]" in told.stdout
    return told.stdout
