"""Build hook: compiles the protos into `facestream/v1` and `facestream/nvidia_ace`, for wheels and editable installs.

NVIDIA's interface keeps its own names on the wire. In Python its stubs stand inside our package, so that NVIDIA's own
package `nvidia_ace` can be installed beside ours.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGET = ROOT / "sdk_server"


def compile_protos() -> None:
    """Write `*_pb2.py`, `*_pb2.pyi` and `*_pb2_grpc.py` beside the package's sources; raise on a proto error."""
    _compile("facestream", TARGET)
    _compile("nvidia_ace", TARGET / "facestream")
    for stub in (TARGET / "facestream" / "nvidia_ace").rglob("*_pb2*.py*"):
        if stub.suffix in (".py", ".pyi"):
            text = stub.read_text(encoding="utf-8")
            stub.write_text(re.sub(r"(?m)^from nvidia_ace\b", "from facestream.nvidia_ace", text), encoding="utf-8")


def _compile(folder: str, target: Path) -> None:
    from importlib.resources import files

    from grpc_tools import protoc

    sources = sorted(str(path) for path in (PROTOS / folder).rglob("*.proto"))
    well_known = str(files("grpc_tools") / "_proto")
    outputs = [f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}"]
    if protoc.main(["protoc", f"-I{PROTOS}", f"-I{well_known}", *outputs, *sources]) != 0:
        raise RuntimeError(f"protoc refused one of {sources}; its message stands above")


if __name__ == "__main__":
    compile_protos()
    sys.exit(0)

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # noqa: E402


class StubsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before every wheel, standard or editable."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        compile_protos()
