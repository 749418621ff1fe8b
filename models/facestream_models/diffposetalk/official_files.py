"""The files that users of the released models bring: two checkpoints, and vectors of style.

A checkpoint holds its author's training options beside the weights, a namespace with paths in it. Inert classes stand
in for both, nothing else is built. Options are not trusted: all that is read of them is which data set they name.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream.errors import BundleError, InvalidValue
from facestream_models.diffposetalk.bundle import Styles
from facestream_models.diffposetalk.style_encoder import check_style
from facestream_models.released.checkpoint import read_safely, tensors_of

DENOISER, STYLE_ENCODER = "model", "encoder"
"""Under which key a checkpoint has its weights."""

_OPTION = {DENOISER: "--denoiser", STYLE_ENCODER: "--style-encoder"}
_DATA_SET = re.compile(r"HDTF_\w+")


class StoredOptions:
    """Stands in for a namespace of options; the reader fills its attributes."""


class StoredPath(str):
    """Stands in for a path of any system: its parts, joined by slashes."""

    __slots__ = ()

    def __new__(cls, *parts: str) -> "StoredPath":
        return super().__new__(cls, "/".join(parts))


STAND_INS: Mapping[str, type] = {
    "argparse.Namespace": StoredOptions,
    **{
        f"{module}.{name}": StoredPath
        for module in ("pathlib", "pathlib._local")
        for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
    },
}


class Published(NamedTuple):
    """Weights of a checkpoint under their published names, its iteration, and data sets that its options name."""

    tensors: dict[str, Tensor]
    iteration: int | None
    data_sets: frozenset[str]


def read_published(path: Path, kind: str) -> Published:
    """Read a checkpoint whose weights are under the key `kind`, `DENOISER` or `STYLE_ENCODER`.

    Raises `InvalidValue` for no file, `BundleError` for a file that is not safe, not whole or the other checkpoint.
    """
    content = read_safely(path, STAND_INS)
    if not isinstance(content, dict) or kind not in content:
        other = next((key for key in _OPTION if isinstance(content, dict) and key in content), None)
        found = f"the checkpoint that belongs to {_OPTION[other]}" if other else "no checkpoint of DiffPoseTalk"
        raise BundleError(f"{path}: found {found}; expected weights under {kind!r}; give the one for {_OPTION[kind]}")
    iteration = content.get("iter")
    return Published(
        tensors_of(content[kind], str(path)),
        iteration if isinstance(iteration, int) else None,
        frozenset(name for text in _texts(content.get("args")) for name in _DATA_SET.findall(text)),
    )


def read_styles(folder: Path, width: int) -> Styles:
    """Vectors [width] of every `NAME.npy` in `folder`, by name.

    Raises `InvalidValue` naming the file that holds something else, or the folder that holds none.
    """
    files = sorted(folder.glob("*.npy")) if folder.is_dir() else []
    if not files:
        raise InvalidValue("styles", folder, "a folder with one NAME.npy for each style")
    found = {}
    for file in files:
        try:
            style = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InvalidValue("styles", file, f"an array that can be read ({error})") from error
        if style.shape != (width,) or not np.isfinite(style).all():
            raise InvalidValue("styles", f"{file} of shape {style.shape}", f"{width} finite numbers in each file")
        found[file.stem] = style.astype(np.float32)
        try:
            check_style(torch.from_numpy(found[file.stem]), width)
        except InvalidValue as error:
            raise InvalidValue("styles", f"{file} with {error.received}", error.allowed) from error
    return found


def _texts(options: Any) -> Iterator[str]:
    """All texts among stored options, however deep."""
    if isinstance(options, str):
        yield options
    elif isinstance(options, StoredOptions | dict):
        values = options if isinstance(options, dict) else vars(options)
        for value in values.values():
            yield from _texts(value)
    elif isinstance(options, list | tuple):
        for value in options:
            yield from _texts(value)
