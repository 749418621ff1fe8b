"""Bundles: a folder with a model's graphs, its manifest and its card, checked before anything runs.

`manifest.json` holds every fact the runtime needs; its keys are those of `engines.manifest` and no others. Every other
file of the folder that matters is listed with its SHA-256.
"""

import hashlib
import importlib.resources
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from facestream.engines.base import ModelFacts
from facestream.engines.facts import facts_of
from facestream.engines.manifest import FAMILIES, MANIFESTS, SCHEMA_VERSION, LiveManifest, Manifest
from facestream.errors import BundleError, NotFound

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model bundle whose files are all there and unchanged. Make one with `Bundle.open`."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Read the manifest and check every listed file against its hash.

        Raises `BundleError` naming the file, what was found, what was expected, and the next step.
        """
        manifest = _read_manifest(folder / MANIFEST)
        for relative, expected in manifest.files.items():
            _check_file(folder / relative, expected)
        return cls(folder, manifest)

    @property
    def live(self) -> LiveManifest:
        """The manifest of a `live` bundle; raises `BundleError` for one of another family."""
        if not isinstance(self.manifest, LiveManifest):
            raise BundleError(
                f"{self.folder}: found a bundle of family {self.manifest.family!r}; expected 'live'; give another one"
            )
        return self.manifest

    @property
    def graph_path(self) -> Path:
        """The graph of a `live` bundle."""
        return self.folder / self.live.graph

    @property
    def model(self) -> ModelFacts:
        """The facts an engine needs. Raises `BundleError` for a file of them that can not be used."""
        return facts_of(self.folder, self.manifest)


def shipped_folder() -> Path:
    """Folder with the bundles that come with the package, in a wheel as in an editable install."""
    return Path(str(importlib.resources.files("facestream_bundles")))


def list_bundles(extra_folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Model bundles by name: shipped ones first, then those found in (or directly under) `extra_folders`.

    A later bundle of the same name takes the place of an earlier one, so that a user's own `live` wins. Nothing is
    verified here; `Bundle.open` does that.
    """
    found: dict[str, Path] = {}
    for root in (shipped_folder(), *extra_folders):
        if not root.is_dir():
            raise BundleError(f"{root}: found no such folder; expected one that holds bundles; check the path")
        for folder in _candidates(root):
            name = _model_name(folder / MANIFEST)
            if name is not None:
                found[name] = folder
    return found


def open_bundle(name_or_folder: str, extra_folders: Iterable[Path] = ()) -> Bundle:
    """Open a bundle by its name, or by the path of its folder. Raises `NotFound` or `BundleError`."""
    if (Path(name_or_folder) / MANIFEST).is_file():
        return Bundle.open(Path(name_or_folder))
    known = list_bundles(extra_folders)
    if name_or_folder not in known:
        raise NotFound("model", name_or_folder, known)
    return Bundle.open(known[name_or_folder])


def _candidates(root: Path) -> Iterator[Path]:
    if (root / MANIFEST).is_file():
        yield root
    for folder in sorted(root.iterdir()):
        if (folder / MANIFEST).is_file():
            yield folder


def _model_name(path: Path) -> str | None:
    """Name in a model's manifest; the folder's name where it can not be read; `None` for heads and other bundles."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return path.parent.name  # opening it will say what is wrong
    if not isinstance(content, dict) or content.get("family") not in FAMILIES:
        return None
    name = content.get("name")
    return name if isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) else path.parent.name


def _read_manifest(path: Path) -> Manifest:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BundleError(
            f"{path}: found no such file; expected the manifest of a bundle; give the folder that holds {MANIFEST}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: found a file that can not be read ({error}); copy the bundle again") from error
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise BundleError(
            f"{path}: found broken JSON at line {error.lineno}; expected a whole manifest; copy the bundle again"
        ) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"{path}: found schema_version {version!r}; expected {SCHEMA_VERSION}; "
            "get a bundle made for this release of facestream"
        )
    try:
        return MANIFESTS.validate_json(text)
    except ValidationError as error:
        raise BundleError(f"{path}: {_first_problem(error, content)}; export the bundle again") from error


def _first_problem(error: ValidationError, content: dict[str, object]) -> str:
    problem = error.errors(include_url=False)[0]
    place = problem["loc"][1:] if problem["loc"][:1] in [(family,) for family in FAMILIES] else problem["loc"]
    where = ".".join(str(part) for part in place) or "manifest"
    if problem["type"] in ("union_tag_invalid", "union_tag_not_found"):
        found = content.get("family")
        return f"family: found {found!r}; expected one of {', '.join(FAMILIES)}"
    if problem["type"] == "missing":
        return f"found no key {where!r}; expected it (required)"
    if problem["type"] == "extra_forbidden":
        return f"found the unknown key {where!r}; expected only the keys of schema {SCHEMA_VERSION}"
    received = repr(problem["input"]) if place else "an inconsistent manifest"
    return f"{where}: found {received[:120]}; expected: {problem['msg']}"


def _check_file(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        raise BundleError(
            f"{path}: found no such file; expected it (listed in {MANIFEST}); copy the whole bundle again"
        ) from None
    if digest != expected:
        raise BundleError(
            f"{path}: found {size} bytes with SHA-256 {digest}; expected SHA-256 {expected}; "
            "the file is truncated or was changed: copy the bundle again"
        )
