"""Builds the plugin against the stubs, with the program that plays it: a unit for the plugin, as Unreal's build tool
makes them, one for the engine that stands in, one for the stage.
"""

import shutil
import subprocess
from pathlib import Path

from tests.plugins.build_once import locked
from tests.plugins.cpp_build import CLIENT, CORE, HAS_CLIENT_TOOLS, PLUGINS, build
from tests.plugins.unreal.header_tool import write_generated_headers

UNREAL = PLUGINS / "unreal"
SOURCE = UNREAL / "FaceStream" / "Source"
FOLDER = UNREAL / "tests" / "build"
HAS_TOOLS = HAS_CLIENT_TOOLS and shutil.which("g++") is not None
MODULES = ("FaceStream", "FaceStreamEditor")
_INCLUDES = [
    FOLDER / "generated",
    UNREAL / "tests" / "stubs",
    *(SOURCE / module / side for module in MODULES for side in ("Public", "Private")),
    CORE / "include",
    CLIENT / "include",
    CLIENT / "cli",
]
# as engines compile what they link; the dialect of Unreal 5.4 to 5.6
COMPILER = ["g++", "-std=c++20", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-O0"]
COMPILER += [f"-I{folder}" for folder in _INCLUDES]


def sources() -> list[Path]:
    return sorted(path for module in MODULES for path in (SOURCE / module).rglob("*.cpp"))


def headers() -> list[Path]:
    return sorted(path for module in MODULES for path in (SOURCE / module).rglob("*.h"))


def generate() -> None:
    """What Unreal's tools would: generated headers, the plugin as one unit, and the header that all files share."""
    write_generated_headers(headers(), FOLDER / "generated")
    unit = "".join(f'#include "{path}"\n' for path in sources())
    if not (path := FOLDER / "plugin.cpp").exists() or path.read_text() != unit:
        path.write_text(unit)
    shared, stubs = FOLDER / "shared.h", (UNREAL / "tests" / "stubs").rglob("*.h")
    made = shared.with_suffix(".h.gch")
    if not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in stubs):
        shared.write_text('#include "CoreMinimal.h"\n')
        _run([*COMPILER, "-x", "c++-header", str(shared), "-o", str(made)])


def stage() -> Path:
    """The program `facestream-unreal`; a failed build's last lines are the message of the error."""
    client = build(CLIENT, "release")
    with locked(FOLDER):
        generate()
        stubs = [*(UNREAL / "tests").rglob("*.h"), *CORE.rglob("*.h"), *CLIENT.glob("include/**/*.h")]
        units = [FOLDER / "plugin.cpp", *sorted((UNREAL / "tests" / "driver").glob("*.cpp")), CLIENT / "cli" / "wav.cc"]
        objects = []
        for unit in units:
            made = FOLDER / f"{unit.stem}.o"
            inputs = [unit, *stubs, *headers(), *(sources() if unit.stem == "plugin" else [])]
            if not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
                _run([*COMPILER, "-include", str(FOLDER / "shared.h"), "-c", str(unit), "-o", str(made)])
            objects.append(str(made))
        program, library = FOLDER / "facestream-unreal", client / "libfacestream_client_shared.so"
        newest = max(Path(path).stat().st_mtime for path in (*objects, library))
        if not program.exists() or program.stat().st_mtime < newest:
            # put in place as a whole: another worker may be about to run the one before
            linked = program.with_suffix(".new")
            _run(["g++", *objects, str(library), f"-Wl,-rpath,{client}", "-pthread", "-o", str(linked)])
            linked.replace(program)
    return program


def _run(command: list[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, "\n".join((told.stdout + told.stderr).splitlines()[:30])
