"""Training configurations: TOML files read into the dataclasses that the code uses, unknown keys refused."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def read_config(path: Path, kind: type[T]) -> T:
    """Read a TOML file. Raises ValueError that names the file and the key."""
    try:
        return from_values(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def from_values(values: Mapping[str, Any], kind: type[T], place: str = "") -> T:
    """A dataclass from nested tables; what is not named keeps its default. Lists become tuples.

    Raises ValueError for an unknown key or a value of another type.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    for name, value in values.items():
        where = f"{place}{name}"
        if name not in known:
            raise ValueError(f"{where}: no such key; known here: {', '.join(sorted(known))}")
        wanted = hints[name]
        if is_dataclass(wanted):
            if not isinstance(value, Mapping):
                raise ValueError(f"{where}: found {value!r}, expected a table")
            found[name] = from_values(value, wanted, f"{where}.")  # type: ignore[arg-type]
        elif wanted in (int, float, bool, str):
            right = isinstance(value, (int, float) if wanted is float else wanted)
            if not right or (isinstance(value, bool) and wanted is not bool):
                raise ValueError(f"{where}: found {value!r}, expected {wanted.__name__}")
            found[name] = wanted(value)
        else:
            found[name] = tuple(value) if isinstance(value, list) else value
    return kind(**found)
