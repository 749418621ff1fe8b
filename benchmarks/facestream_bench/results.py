"""The one form of every result file: `{name, date, hardware, versions, command, figures, notes?}`."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from facestream.errors import InvalidValue

RESULTS = Path(__file__).resolve().parents[1] / "results"
VERSIONED = (
    "facestream",
    "numpy",
    "onnxruntime",
    "grpcio",
    "uvloop",
    "torch",
    "tensorrt",
    "tensorrt-rtx-cu13-bindings",
)
_FORM = ("name", "date", "hardware", "versions", "command", "figures")


@dataclass(frozen=True)
class Record:
    """A result file as it was read."""

    name: str
    date: str
    hardware: str
    versions: Mapping[str, str]
    command: str
    figures: Mapping[str, float]
    notes: tuple[str, ...] = ()


def read_results(path: Path) -> Record:
    """Read a result file. Raises `InvalidValue` for one that is missing or of another form."""
    allowed = f"a JSON object with {', '.join(_FORM)}, as every benchmark writes it"
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue("result file", f"{path} ({error})", allowed) from None
    if not isinstance(content, dict) or (missing := [key for key in _FORM if key not in content]):
        found = "something else" if not isinstance(content, dict) else f"no {', '.join(missing)}"
        raise InvalidValue("result file", f"{path} with {found}", allowed)
    figures = content["figures"]
    if not isinstance(figures, dict) or not all(isinstance(value, int | float) for value in figures.values()):
        raise InvalidValue("result file", f"{path} whose figures are no numbers by name", allowed)
    notes = tuple(str(note) for note in content.get("notes", ()))
    return Record(**{key: content[key] for key in _FORM}, notes=notes)


def hardware() -> str:
    """Processor, cores and cards in words, for example `2 cores, AMD EPYC` or `16 cores, AMD EPYC, NVIDIA H200`."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join([f"{cores} cores", model, *_cards()])


def _cards() -> list[str]:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []  # no card, or no driver for it
    return told.stdout.strip().splitlines()


def versions() -> dict[str, str]:
    """Installed versions of what the figures depend on; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_results(
    name: str,
    command: str,
    figures: Mapping[str, float],
    *,
    path: Path | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write `benchmarks/results/NAME.json` (or `path`) and return where; figures are rounded to 4 digits."""
    target = path or RESULTS / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "name": name,
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": hardware(),
        "versions": versions(),
        "command": command,
        "figures": {key: float(f"{value:.4g}") for key, value in sorted(figures.items())},
    }
    if notes:
        record["notes"] = list(notes)
    target.write_text(json.dumps(record, indent=2) + "\n")
    return target
