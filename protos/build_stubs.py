"""Build hook: compiles the protos into `facestream/v1`, for wheels and editable installs alike."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGET = ROOT / "sdk_server"


def compile_protos() -> None:
    """Write `*_pb2.py`, `*_pb2.pyi` and `*_pb2_grpc.py` beside the package's sources; raise on a proto error."""
    from importlib.resources import files

    from grpc_tools import protoc

    sources = sorted(str(path) for path in (PROTOS / "facestream").rglob("*.proto"))
    well_known = str(files("grpc_tools") / "_proto")
    outputs = [f"--python_out={TARGET}", f"--pyi_out={TARGET}", f"--grpc_python_out={TARGET}"]
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
