"""Bundles: a folder with a model's graph, its manifest and its card, checked before anything runs.

`manifest.json` holds every fact the runtime needs; the keys are those of `Manifest` and no others. Every other file
of the folder that matters is listed with its SHA-256.
"""

import hashlib
import importlib.resources
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from facestream.engines.base import SILENCE, ModelFacts, TensorSpec
from facestream.errors import BundleError, NotFound

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
MODEL_FAMILIES = ("live", "deeptalk", "diffposetalk")
MAX_LOOKAHEAD_SAMPLES = 1280
"""80 ms at 16 kHz: the most that a motion row of a live model may look ahead."""

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class InputSpec(_Strict):
    """One graph input that is not state; `pcm` is `["B", "640*S"]` where a hop takes 640 samples."""

    name: str
    shape: list[int | str]


class StateSpec(_Strict):
    """One state tensor: graph input `name`, output `next_` + `name`; the shape has no batch axis."""

    name: str = Field(pattern=r"^state_\w+$")
    shape: list[Annotated[int, Field(gt=0)]]


class Outputs(_Strict):
    """Layout of a motion row: expression, jaw, then the named extras."""

    expression: Literal[50]
    jaw: Literal[3]
    extras: list[str]


class Manifest(_Strict):
    """`manifest.json` of a model bundle. All keys are required, unknown keys are refused."""

    schema_version: Literal[1]
    family: Literal["live", "deeptalk", "diffposetalk"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field(min_length=1)
    graph: str = Field(pattern=r"^[^/\\]+\.onnx$")
    sample_rate_hz: Literal[16000]
    hop_samples: int = Field(ge=160, le=5120, multiple_of=32)
    motion_rate: str = Field(pattern=r"^[1-9]\d*/[1-9]\d*$")
    lookahead_samples: int = Field(ge=0, le=MAX_LOOKAHEAD_SAMPLES)
    inputs: list[InputSpec]
    states: list[StateSpec]
    outputs: Outputs
    phone_classes: list[str] = Field(min_length=1)
    head_digest: _Sha256
    licence: str = Field(min_length=1)
    training: dict[str, Any]
    files: dict[str, _Sha256]

    @property
    def motions_per_hop(self) -> Fraction:
        """Motion rows that one hop gives; a whole number in a valid manifest."""
        return Fraction(self.motion_rate) * self.hop_samples / self.sample_rate_hz

    @field_validator("files")
    @classmethod
    def _inside_the_folder(cls, files: dict[str, str]) -> dict[str, str]:
        for path in files:
            if Path(path).is_absolute() or ".." in Path(path).parts or "\\" in path:
                raise ValueError(f"{path!r} leaves the bundle folder")
        return files

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        if self.graph not in self.files:
            raise ValueError(f"files has no entry for the graph {self.graph!r}")
        if self.motions_per_hop.denominator != 1 or self.motions_per_hop < 1:
            raise ValueError(f"{self.hop_samples} samples a hop are no whole number of rows at {self.motion_rate} Hz")
        furthest = self.lookahead_samples + self.hop_samples - int(self.hop_samples / self.motions_per_hop)
        if furthest > MAX_LOOKAHEAD_SAMPLES:
            raise ValueError(f"the first row of a hop looks {furthest} samples ahead, at most {MAX_LOOKAHEAD_SAMPLES}")
        if "pcm" not in [spec.name for spec in self.inputs]:
            raise ValueError("inputs has no 'pcm'")
        if SILENCE not in self.phone_classes:
            raise ValueError(f"phone_classes has no {SILENCE!r}")
        return self


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
    def graph_path(self) -> Path:
        return self.folder / self.manifest.graph

    @property
    def model(self) -> ModelFacts:
        """The facts an engine needs."""
        manifest = self.manifest
        return ModelFacts(
            name=manifest.name,
            family=manifest.family,
            version=manifest.version,
            licence=manifest.licence,
            head_digest=manifest.head_digest,
            hop_samples=manifest.hop_samples,
            motions_per_hop=int(manifest.motions_per_hop),
            lookahead_samples=manifest.lookahead_samples,
            extras=tuple(manifest.outputs.extras),
            phone_classes=tuple(manifest.phone_classes),
            states=tuple(TensorSpec(spec.name, tuple(spec.shape)) for spec in manifest.states),
        )


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
    if not isinstance(content, dict) or content.get("family") not in MODEL_FAMILIES:
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
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"{path}: {_first_problem(error)}; export the bundle again") from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "manifest"
    if problem["type"] == "missing":
        return f"found no key {where!r}; expected it (required)"
    if problem["type"] == "extra_forbidden":
        return f"found the unknown key {where!r}; expected only the keys of schema {SCHEMA_VERSION}"
    received = repr(problem["input"]) if problem["loc"] else "an inconsistent manifest"
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
