"""Checkpoints that users bring, read without running anything that is in them.

Only tensors and plain containers are built. A file may hold options beside its weights, as instances of classes; for
those a caller names *stand-ins*, inert classes that are built in their place.
"""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facestream.errors import BundleError, InvalidValue

_NOT_WEIGHTS = "expected the state of a network"


def read_safely(path: Path, stand_ins: Mapping[str, type] | None = None) -> Any:
    """What a torch file holds; `stand_ins` by the full name of the class that the file asks for.

    Raises `InvalidValue` for a path that is no file, `BundleError` for one that asks for anything else to be built.
    """
    if not path.is_file():
        raise InvalidValue("checkpoint", path, "a file that exists")
    allowed = [(stand_in, name) for name, stand_in in (stand_ins or {}).items()]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed):  # type: ignore[arg-type]
            warnings.simplefilter("ignore")  # torch wonders aloud about pickle protocols; what matters is raised below
            return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, LookupError, EOFError, AttributeError, TypeError,
            pickle.UnpicklingError) as error:  # fmt: skip
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BundleError(f"{path}: not a checkpoint that can be read safely ({reason}); download it again") from error


def tensors_of(content: Any, source: str) -> dict[str, Tensor]:
    """`content` as tensors by name. Raises `BundleError` where it is anything else or holds what is not finite."""
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise BundleError(f"{source}: found no plain dictionary of tensors; {_NOT_WEIGHTS}")
    broken = [name for name, tensor in content.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise BundleError(f"{source}: found values in {broken[0]} that are not finite; download the file again")
    return {str(name): tensor for name, tensor in content.items()}
