"""What the manifests of all families have in common, and the folder that a bundle goes into."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facestream.engines.bundle import MANIFEST, Bundle
from facestream.engines.manifest import FAMILIES, SCHEMA_VERSION
from facestream.errors import InvalidValue
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.encoders.mel import SAMPLE_RATE
from facestream_models.export.graphs import Graph
from facestream_models.released.folder import sha256


def files_of(folder: Path) -> list[str]:
    """Names of what lies in a bundle's folder beside its manifest, sorted."""
    return sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)


def graph_specs(graphs: Mapping[str, Graph]) -> list[dict[str, Any]]:
    """How a manifest tells the axes of `graphs` by file name."""
    return [{"file": file, "inputs": graph.inputs, "outputs": graph.outputs} for file, graph in graphs.items()]


def complete_bundle(
    folder: Path,
    *,
    family: str,
    name: str,
    version: str,
    motion_rate: int,
    extras: Sequence[str],
    phone_classes: Sequence[str],
    head_digest: str | None,
    licence: str,
    training: dict[str, Any],
    **of_family: Any,
) -> Bundle:
    """Write `manifest.json` for all that lies in `folder`, and open the bundle as the runtime would.

    `of_family` are the keys that only manifests of this family have (`facestream.engines.manifest`). Raises
    `BundleError` where they are not right.
    """
    content = {
        "schema_version": SCHEMA_VERSION,
        "family": family,
        "name": name,
        "version": version,
        "sample_rate_hz": SAMPLE_RATE,
        "motion_rate": f"{motion_rate}/1",
        "outputs": {"expression": EXPRESSION_COUNT, "jaw": JAW_COUNT, "extras": list(extras)},
        **of_family,
        "phone_classes": list(phone_classes),
        "head_digest": head_digest,
        "licence": licence,
        "training": training,
        "files": {file: sha256(folder / file) for file in files_of(folder)},
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return Bundle.open(folder)


def check_replaceable(folder: Path) -> None:
    """Raise `InvalidValue` where a new bundle would take the place of something that is none."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not _is_bundle(folder)):
        raise InvalidValue("out", folder, "a folder that is new or empty, or holds a bundle, which is replaced")


def cleared(folder: Path) -> Path:
    """`folder`, empty: a bundle in it is deleted. Raises `InvalidValue` for anything else, and leaves that alone."""
    check_replaceable(folder)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _is_bundle(folder: Path) -> bool:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("family") in FAMILIES
