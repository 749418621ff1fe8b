"""A user's own FLAME file (2017, 2020, 2023), read without running what is inside.

FLAME is published as a pickle with numpy, scipy.sparse and chumpy objects, and as npz by some converters. Pickles can
run code when opened, so only these array classes are ever constructed; anything else is refused by name.
"""

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from facestream.errors import BundleError, InvalidValue
from facestream_models.flame.head import JOINT_COUNT, Head

MAX_BYTES = 512 * 2**20
_SHAPE_COMPONENTS = 300
"""FLAME 2020 and 2023: 300 shape, then 100 expression components in one array."""

_KEYS = ("v_template", "f", "shapedirs", "J_regressor", "weights")


def load_flame(path: Path, *, shape_count: int = 300, expression_count: int = 100) -> Head:
    """Read `generic_model.pkl` or an npz with FLAME's own array names; keeps the first components of each kind.

    Raises `InvalidValue` for a missing or oversized file, `BundleError` for one that is not FLAME or holds anything
    but arrays.
    """
    if not path.is_file():
        raise InvalidValue("head", path, "a FLAME file: generic_model.pkl, flame2023.pkl or an npz")
    if path.stat().st_size > MAX_BYTES:
        raise InvalidValue("head", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
    try:
        arrays = _read_npz(path) if zipfile.is_zipfile(path) else _read_pickle(path)
        missing = [key for key in _KEYS if key not in arrays]
        if missing:
            raise BundleError(f"{path}: not a FLAME file, it has no {', '.join(missing)}")
        return _to_head(arrays, shape_count, expression_count)
    except BundleError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise BundleError(f"{path}: not a FLAME file ({error})") from error


def _to_head(arrays: Mapping[str, Any], shape_count: int, expression_count: int) -> Head:
    dirs = _float(arrays["shapedirs"])
    template = _float(arrays["v_template"])
    vertex_count = len(template)
    faces = np.asarray(arrays["f"]).astype(np.int64)
    weights = _float(arrays["weights"])
    regressor = _float(arrays["J_regressor"])
    expected = {
        "v_template": (template, (vertex_count, 3)),
        "f": (faces, (len(faces), 3)),
        "shapedirs": (dirs, (vertex_count, 3, dirs.shape[-1])),
        "weights": (weights, (vertex_count, JOINT_COUNT)),
        "J_regressor": (regressor, (JOINT_COUNT, vertex_count)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite with shape {shape}, got {array.shape}")
    if faces.min(initial=0) < 0 or faces.max(initial=0) >= vertex_count:
        raise ValueError("f names vertices that do not exist")
    first = min(_SHAPE_COMPONENTS, dirs.shape[2])
    pose_dirs = _float(arrays["posedirs"]) if "posedirs" in arrays else None
    if pose_dirs is not None and pose_dirs.shape != (vertex_count, 3, 9 * (JOINT_COUNT - 1)):
        raise ValueError(
            f"posedirs must have shape ({vertex_count}, 3, {9 * (JOINT_COUNT - 1)}), got {pose_dirs.shape}"
        )
    return Head(
        template=template,
        triangles=faces,
        shape_dirs=np.ascontiguousarray(dirs[:, :, : min(first, shape_count)]),
        expression_dirs=np.ascontiguousarray(dirs[:, :, first : first + expression_count]),
        joint_regressor=regressor,
        skinning=weights,
        pose_dirs=pose_dirs,
    )


def _float(value: Any) -> np.ndarray:
    if scipy.sparse.issparse(value):
        value = value.toarray()
    if isinstance(value, _ChumpyArray):
        value = value.array
    return np.asarray(value, np.float32)


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as content:
        return dict(content)


def _read_pickle(path: Path) -> dict[str, Any]:
    content = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, not a dictionary")
    return content


class _ChumpyArray:
    """Stands in for `chumpy.ch.Ch`: only the array inside is kept."""

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.array = state["x"]


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed = _allowed().get((module.replace("numpy._core", "numpy.core"), name))
        if allowed is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}; only plain arrays are read")
        return allowed


def _allowed() -> dict[tuple[str, str], Callable[..., Any]]:
    sparse = {
        (module, name): getattr(scipy.sparse, name)
        for name in ("csc_matrix", "csr_matrix", "coo_matrix")
        for module in ("scipy.sparse", f"scipy.sparse.{name[:3]}", f"scipy.sparse._{name[:3]}")
    }
    # Taken from what numpy itself writes, so that private modules need not be imported by name.
    rebuild_array: Callable[..., Any] = np.zeros(0).__reduce__()[0]  # type: ignore[assignment]
    rebuild_scalar: Callable[..., Any] = np.float64(0).__reduce__()[0]  # type: ignore[assignment]
    return sparse | {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): rebuild_array,
        ("numpy.core.multiarray", "scalar"): rebuild_scalar,
        ("chumpy.ch", "Ch"): _ChumpyArray,
        ("chumpy", "Ch"): _ChumpyArray,
        ("_codecs", "encode"): _encode,
    }


def _encode(text: str, encoding: str) -> bytes:
    """Protocol 2 pickles of Python 3 write bytes as text to be encoded."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding}")
    return text.encode("latin1")
