"""What the runtime needs to know of a diffposetalk model: how it is run, its space of styles, and named ones."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facestream.acting import Abilities
from facestream.engines.base import ModelFacts
from facestream.engines.graph_specs import graph_with
from facestream.engines.manifest import SAMPLER_NAMES, DiffPoseTalkManifest
from facestream.errors import BundleError, InvalidValue
from facestream.style import Style, StyleSpace
from facestream.styling import DISTILLED, Distilled, StyleAbilities

STYLE_INPUTS, STYLE_OUTPUTS = {"motion"}, {"style"}


def diffposetalk_facts(folder: Path, manifest: DiffPoseTalkManifest) -> ModelFacts:
    """Facts of the model in `folder`. Raises `BundleError` for styles that can not be used."""
    pieces, sampling = manifest.pieces, manifest.sampling
    hop_samples = pieces.hop_frames * manifest.frame_samples
    known = manifest.distilled
    distilled = None
    if known is not None:
        speech, style = ((least, most) for least, most in (known.audio_scales, known.style_scales))
        distilled = Distilled(known.most_steps, speech, style, manifest.distilled_audio_scale)
    styling = StyleAbilities(
        space=style_space(folder, manifest),
        styles=named_styles(folder, manifest),
        moves_head=manifest.head_rotation,
        samplers=SAMPLER_NAMES if distilled is None else (*SAMPLER_NAMES, DISTILLED),
        most_steps=manifest.diffusion_steps,
        sampler=sampling.sampler,
        steps=sampling.steps,
        live_steps=sampling.live_steps or sampling.steps,
        audio_scale=sampling.audio_scale,
        style_scale=sampling.style_scale,
        distilled=distilled,
    )
    return ModelFacts(
        name=manifest.name,
        family=manifest.family,
        version=manifest.version,
        licence=manifest.licence,
        head_digest=manifest.head_digest or "",
        hop_samples=hop_samples,
        motions_per_hop=pieces.hop_frames,
        lookahead_samples=manifest.frame_samples - manifest.instant_samples,
        extras=tuple(manifest.outputs.extras),
        phone_classes=tuple(manifest.phone_classes),
        ahead_samples=pieces.ahead_frames * manifest.frame_samples,
        abilities=Abilities(0, {}, (), hop_samples, styling),
        moves_head=manifest.head_rotation,
    )


def style_space(folder: Path, manifest: DiffPoseTalkManifest) -> StyleSpace:
    """The space of a bundle's styles: it is another one as soon as the encoder or the motion that it sees is."""
    encoder = graph_with(folder, manifest.graphs, STYLE_INPUTS, STYLE_OUTPUTS).file
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
