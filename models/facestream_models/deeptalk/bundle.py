"""What a deeptalk bundle says of itself: the manifest, the same for the released weights and for our own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facestream.engines.bundle import Bundle
from facestream_models.corpus.phones import CLASSES
from facestream_models.deeptalk.audio import CODE_SAMPLES, FRAME_RATE, LONGEST_FRAMES, SAMPLE_RATE
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.graph import CONTENT_GRAPH, Network
from facestream_models.export.graphs import Graph
from facestream_models.export.manifest import complete_bundle, files_of, graph_specs

PROFILE, CARD, PRESETS = "rig_profile.npz", "card.md", "presets.npz"

PAST_CODES, AHEAD_CODES = 6, 1
"""The live window: with the code between them 1.28 s, what the generator is trained on. More is no better: on 8 s of
speech the jaw goes with that of the whole recording by a correlation of .948 with 7 codes past and 2 ahead, .945 with 7
and 1, .933 with 5 and 1, .970 with 7 and 4 (neutral, weights half way through stage 1, 2026-11-21)."""

COMPACT_HEARING, PAPER_HEARING = {"codes": 62, "every": 62}, {"codes": 12, "every": 32}
"""How a recording's emotion is heard (`engines.manifest.Hearing`). A small encoder hears all of it in no time, and the
more the better: it finds the face of whole takes at rank 1 in .68, of 3.2 s windows in .57-.60. At the paper's size
hearing 10 s takes 2.46 s of processor time beside 1.06 for their motion (2026-11-21), and DEE is trained on crops of
2 s (specification, section 1.3): two windows of 1.92 s in each 10.24, so 3.84 in all, heard where there is most speech.
"""


def hearing_of(network: Network) -> dict[str, int]:
    """How recordings are heard by a network of its size."""
    return COMPACT_HEARING if isinstance(network, CompactDeepTalk) else PAPER_HEARING


def write_manifest(
    folder: Path,
    network: Network,
    graphs: Mapping[str, Graph],
    *,
    name: str,
    version: str,
    speakers: Sequence[str],
    head_digest: str | None,
    licence: str,
    training: dict[str, Any],
) -> Bundle:
    """Write `manifest.json` for the `graphs` of `network` that lie in `folder`; open the bundle as the runtime would.

    `speakers` name the places of the one-hot; the head's digest is `None` without a head: such a bundle gives motion
    but no ARKit weights. `presets.npz` and `rig_profile.npz` are taken up where they are there.
    """
    shape = network.shape.generator
    files = files_of(folder)
    return complete_bundle(
        folder,
        family="deeptalk",
        name=name,
        version=version,
        motion_rate=FRAME_RATE,
        extras=(),
        phone_classes=CLASSES if CONTENT_GRAPH in graphs else (),
        head_digest=head_digest,
        licence=licence,
        training=training,
        graphs=graph_specs(graphs),
        code_samples=CODE_SAMPLES,
        longest_samples=LONGEST_FRAMES * SAMPLE_RATE // FRAME_RATE,
        window={"past_codes": PAST_CODES, "ahead_codes": AHEAD_CODES},
        hearing=hearing_of(network),
        emotion_width=shape.emotion,
        codes=shape.codes,
        speakers=list(speakers),
        presets=PRESETS if PRESETS in files else None,
        profile=PROFILE if PROFILE in files else None,
    )
