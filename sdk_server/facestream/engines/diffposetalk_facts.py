"""What the runtime needs to know of a diffposetalk model beyond its manifest: its space of styles, and named ones."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facestream.engines.manifest import DiffPoseTalkManifest, GraphSpec
from facestream.errors import BundleError, InvalidValue
from facestream.style import Style, StyleSpace

STYLE_INPUTS, STYLE_OUTPUTS = {"motion"}, {"style"}


def graph_with(folder: Path, manifest: DiffPoseTalkManifest, inputs: set[str], outputs: set[str]) -> GraphSpec:
    """The graph with these inputs, and at least these outputs. Raises `BundleError`."""
    for graph in manifest.graphs:
        if set(graph.inputs) == inputs and outputs <= set(graph.outputs):
            return graph
    raise BundleError(
        f"{folder}: found no graph with inputs {sorted(inputs)} and outputs {sorted(outputs)}; export the bundle again"
    )


def style_space(folder: Path, manifest: DiffPoseTalkManifest) -> StyleSpace:
    """The space of a bundle's styles: it is another one as soon as the encoder or the motion that it sees is."""
    encoder = graph_with(folder, manifest, STYLE_INPUTS, STYLE_OUTPUTS).file
    digest = hashlib.sha256(f"{manifest.files[encoder]} {manifest.motion_space}".encode()).hexdigest()
    least, most = manifest.style_norms
    return StyleSpace(manifest.name, digest, manifest.style_width, (least, most))


def named_styles(folder: Path, manifest: DiffPoseTalkManifest) -> Mapping[str, Style]:
    """The styles that ship in a bundle: `names` [K] and `style` [K, S] of its npz. Raises `BundleError`."""
    if manifest.styles is None:
        return {}
    path, space = folder / manifest.styles, style_space(folder, manifest)
    try:
        with np.load(path, allow_pickle=False) as stored:
            names = [str(name) for name in stored["names"]]
            vectors = np.asarray(stored["style"], np.float32)
        if vectors.shape != (len(names), space.width) or len(set(names)) != len(names):
            raise ValueError(f"{len(set(names))} names and vectors of shape {vectors.shape}")
        for vector in vectors:
            space.check_vector(vector)
        return {name: Style(vector, space.model, space.digest) for name, vector in zip(names, vectors, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, InvalidValue) as error:
        raise BundleError(f"{path}: found no styles that can be used ({error}); export the bundle again") from error
