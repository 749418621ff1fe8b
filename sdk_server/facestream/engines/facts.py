"""What the runtime needs to know of a model, from its manifest and the small files beside it."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facestream.acting import SPEECH, Abilities, Emotion
from facestream.engines.base import ModelFacts, TensorSpec
from facestream.engines.diffposetalk_facts import diffposetalk_facts
from facestream.engines.manifest import DeepTalkManifest, LiveManifest, Manifest
from facestream.errors import BundleError, InvalidValue

FRAMES_PER_CODE = 4
"""Frames of a deeptalk code."""
ROWS_PER_CODE = 2 * FRAMES_PER_CODE
"""Motion rows of a code: one at each frame and one between two."""


def facts_of(folder: Path, manifest: Manifest) -> ModelFacts:
    """Facts of the model in `folder`.

    Raises `BundleError` for presets or styles that can not be used.
    """
    if isinstance(manifest, LiveManifest):
        return _live_facts(manifest)
    if isinstance(manifest, DeepTalkManifest):
        return _deeptalk_facts(folder, manifest)
    return diffposetalk_facts(folder, manifest)


def _live_facts(manifest: LiveManifest) -> ModelFacts:
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


def _deeptalk_facts(folder: Path, manifest: DeepTalkManifest) -> ModelFacts:
    presets = {} if manifest.presets is None else load_presets(folder / manifest.presets, manifest.emotion_width)
    return ModelFacts(
        name=manifest.name,
        family=manifest.family,
        version=manifest.version,
        licence=manifest.licence,
        head_digest=manifest.head_digest or "",
        hop_samples=manifest.code_samples,
        motions_per_hop=ROWS_PER_CODE,
        lookahead_samples=manifest.code_samples // FRAMES_PER_CODE,  # a frame describes the beginning of its 40 ms
        extras=tuple(manifest.outputs.extras),
        phone_classes=tuple(manifest.phone_classes),
        ahead_samples=manifest.window.ahead_codes * manifest.code_samples,
        abilities=Abilities(manifest.emotion_width, presets, tuple(manifest.speakers), manifest.code_samples),
    )


def load_presets(path: Path, width: int) -> Mapping[str, Emotion]:
    """Named emotions of an npz: `names` [P], `mean` and `log_variance` [P, `width`]. Raises `BundleError`."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            names = [str(name) for name in stored["names"]]
            means, spreads = (np.asarray(stored[key], np.float32) for key in ("mean", "log_variance"))
        if means.shape != (len(names), width) or spreads.shape != means.shape:
            raise ValueError(f"{len(names)} names and vectors of shape {means.shape}, expected {width} values each")
        if len(set(names)) != len(names) or SPEECH in names:
            raise ValueError(f"a name stands twice or is {SPEECH!r}")
        return {name: Emotion(*pair) for name, *pair in zip(names, means, spreads, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, InvalidValue) as error:
        raise BundleError(f"{path}: found no presets that can be used ({error}); export the bundle again") from error
