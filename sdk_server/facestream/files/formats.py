"""Takes as files: which suffix means which format, for writing and for reading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facestream.errors import InvalidValue
from facestream.files.csv import read_csv, write_csv
from facestream.files.gltf_head import write_animated_glb
from facestream.files.gltf_mesh import write_animation_only, write_on_mesh
from facestream.files.gltf_reader import read_gltf_take
from facestream.files.json import read_json, write_json
from facestream.files.npz import read_npz, write_npz
from facestream.files.recorded import RecordedFace
from facestream.files.usd import write_usda
from facestream.files.viseme_csv import write_viseme_csv
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames
from facestream.visemes import visemes_of

SUFFIXES = (".csv", ".npz", ".json", ".glb", ".usda")
READABLE = (".csv", ".npz", ".json", ".glb", ".gltf")


@dataclass(frozen=True, slots=True)
class TakeOptions:
    """What a file shall hold beside the 52 curves: `visemes`, and for `.glb` a `mesh` (glTF) other than the open head.

    `animation_only` leaves out the geometry of `.glb` and `.usda`.
    """

    visemes: bool = False
    mesh: Path | None = None
    animation_only: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Files that were written, the take first, and ARKit curves that the mesh of one's own has no target for."""

    paths: tuple[Path, ...]
    missing: tuple[str, ...] = ()


def check_output(path: Path, options: TakeOptions | None = None) -> None:
    """Refuse a path that could not be written, before any work is done. Raises `InvalidValue`."""
    suffix, options = path.suffix.lower(), options or TakeOptions()
    if suffix not in SUFFIXES:
        raise InvalidValue("output", str(path), f"a file name ending in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise InvalidValue("output", str(path), f"a file in a folder that exists; {path.parent} does not")
    if options.mesh is not None and options.mesh.resolve() == path.resolve():
        raise InvalidValue("output", str(path), "another file than the mesh")


def check_options(options: TakeOptions, outputs: list[Path]) -> None:
    """Refuse options that none of the outputs could follow. Raises `InvalidValue`."""
    suffixes = {path.suffix.lower() for path in outputs}
    if options.mesh is not None:
        if ".glb" not in suffixes:
            raise InvalidValue("mesh", str(options.mesh), "a mesh together with an output that ends in .glb")
        if not options.mesh.is_file():
            raise InvalidValue("mesh", str(options.mesh), "a .glb or .gltf file that exists")
    if options.animation_only and not suffixes & {".glb", ".usda"}:
        raise InvalidValue("animation_only", ", ".join(map(str, outputs)), "an output that ends in .glb or .usda")


def write_take(path: Path, frames: Frames, rate: FrameRate, options: TakeOptions | None = None) -> Written:
    """Write `frames` in the format that the suffix names.

    A viseme track that the format has no place for is written beside it, as `NAME.visemes.csv`.
    """
    options = options or TakeOptions()
    check_output(path, options)
    visemes = visemes_of(frames.weights) if options.visemes else None
    beside = visemes
    missing: tuple[str, ...] = ()
    match path.suffix.lower():
        case ".csv":
            write_csv(path, frames, rate)
        case ".npz":
            write_npz(path, frames, rate, visemes)
            beside = None
        case ".json":
            write_json(path, frames, rate, visemes)
            beside = None
        case ".usda":
            write_usda(path, frames, rate, visemes, animation_only=options.animation_only)
            beside = None
        case _:
            beside, missing = _write_gltf(path, frames, rate, visemes, options)
    if beside is None:
        return Written((path,), missing)
    track = path.with_suffix(".visemes.csv")
    write_viseme_csv(track, beside, frames.first_index, rate)
    return Written((path, track), missing)


def read_take(path: Path) -> RecordedFace:
    """Read a take of any readable format. Raises `InvalidValue` for one that is none."""
    match path.suffix.lower():
        case ".csv":
            return read_csv(path)
        case ".glb" | ".gltf":
            return read_gltf_take(path)
        case ".npz":
            return _recorded(*read_npz(path))
        case ".json":
            return _recorded(*read_json(path))
        case _:
            raise InvalidValue("take", path.name, f"a file name ending in {', '.join(READABLE)}")


def _write_gltf(
    path: Path, frames: Frames, rate: FrameRate, visemes: Float32 | None, options: TakeOptions
) -> tuple[Float32 | None, tuple[str, ...]]:
    """Visemes that did not go into the file, and curves that the mesh lacks."""
    if options.mesh is not None:
        report = write_on_mesh(
            path, options.mesh, frames, rate, visemes, animation_only=options.animation_only
        )  # fmt: skip
        return None if report.has_visemes else visemes, report.missing
    if options.animation_only:
        write_animation_only(path, frames, rate, visemes)
        return None, ()
    write_animated_glb(path, frames, rate)
    return visemes, ()


def _recorded(frames: Frames, rate: FrameRate) -> RecordedFace:
    indices = np.arange(frames.first_index, frames.end_index)
    return RecordedFace(indices * rate.denominator / rate.numerator, frames.weights, frames.pose)
