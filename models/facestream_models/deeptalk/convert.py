"""A bundle from the released `DEEPTalk.pth`, and from the user's FLAME where ARKit weights are wanted.

    checkpoint -> read safely -> every key accounted for -> two ONNX graphs, held to torch
    FLAME 2020 -> rig profile (how the 52 ARKit shapes look in its coefficients)
    -> folder: emotion.onnx, motion.onnx, rig_profile.npz, card.md, manifest.json with the digest of each

Neither file may be passed on, and so the bundle may not be either: its card and manifest say it.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from facestream.errors import InvalidValue
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.deeptalk.audio import CODE_SAMPLES, FRAME_RATE, LONGEST_FRAMES, SAMPLE_RATE
from facestream_models.deeptalk.flame_release import check_flame_2020
from facestream_models.deeptalk.graph import EMOTION_GRAPH, MOTION_GRAPH, EmotionGraph, MotionGraph, export_graphs
from facestream_models.deeptalk.official_weights import Account, load_deeptalk
from facestream_models.deeptalk.system import DeepTalkShape
from facestream_models.flame.licensed import load_flame
from facestream_models.flame.rig_profile import fit_rig_profile, save_profile

TERMS = (
    "the released weights carry no licence and derive from research-only data (MEAD, AffectNet, EMOCA); FLAME is under "
    "the Max Planck licence, non-commercial research only; neither these files nor a bundle made of them may be given "
    "to others"
)
LICENCE = "none stated; research use only, not to be redistributed"

ACTORS = [
    *(f"M{number:03d}" for number in (3, 5, 7, 9, 11, 12, 13, 19, *range(22, 32))),
    *(f"W{number:03d}" for number in (9, 11, 14, 15, 16, 18, 19, 21, 23, 24, 25, 26, 28, 29)),
]
"""MEAD's training speakers in the order of the one-hot (specification, section 1.6)."""

PROFILE, CARD, MANIFEST = "rig_profile.npz", "card.md", "manifest.json"
_VERSION = "2024.8"

Say = Callable[[str], None]


def convert(checkpoint: Path, flame: Path | None, output: Path, say: Say) -> Path:
    """Write the bundle folder `output` and return it; `say` gets a line for each thing found, dropped and done.

    Raises `InvalidValue` or `BundleError`, one clear line, and leaves nothing behind.
    """
    if output.exists() or not output.parent.is_dir():
        raise InvalidValue("output", output, "a folder that does not exist yet, inside one that does")
    head = None
    if flame is not None:
        head = load_flame(flame)
        check_flame_2020(head, flame)
        say(f"{flame}: FLAME 2020, {head.vertex_count} vertices, head {head.digest()[:12]}")
    network, account = load_deeptalk(checkpoint)
    say(f"{checkpoint}: {account.keys} keys, {account.keys - sum(account.dropped.values())} of them used")
    for reason, count in account.dropped.items():
        say(f"  dropped {count:4d}: {reason}")
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as made:
        folder = Path(made) / output.name
        folder.mkdir()
        graphs = export_graphs(network, folder)
        say(f"{EMOTION_GRAPH}, {MOTION_GRAPH}: equal to torch")
        if head is not None:
            save_profile(fit_rig_profile(head), folder / PROFILE)
            say(f"{PROFILE}: ARKit shapes carried over to this head")
        (folder / CARD).write_text(_card(account), encoding="utf-8")
        source = {
            "file": checkpoint.name,
            "sha256": sha256(checkpoint),
            "keys": account.keys,
            "dropped": account.dropped,
        }
        content = manifest(folder, graphs, source, None if head is None else head.digest())
        (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        shutil.move(folder, output)
    return output


def manifest(
    folder: Path, graphs: Mapping[str, EmotionGraph | MotionGraph], source: dict[str, Any], head_digest: str | None
) -> dict[str, Any]:
    """What `manifest.json` says of the files in `folder`; `head_digest` is `None` without FLAME: no ARKit weights."""
    shape = DeepTalkShape().generator
    return {
        "schema_version": 1,
        "family": "deeptalk",
        "name": "deeptalk",
        "version": _VERSION,
        "graphs": [{"file": name, "inputs": graph.inputs, "outputs": graph.outputs} for name, graph in graphs.items()],
        "sample_rate_hz": SAMPLE_RATE,
        "code_samples": CODE_SAMPLES,
        "motion_rate": f"{FRAME_RATE}/1",
        "longest_samples": LONGEST_FRAMES * SAMPLE_RATE // FRAME_RATE,
        "emotion_width": shape.emotion,
        "codes": shape.codes,
        "actors": ACTORS,
        "outputs": {"expression": EXPRESSION_COUNT, "jaw": JAW_COUNT, "extras": []},
        "head_digest": head_digest,
        "licence": LICENCE,
        "training": source,
        "files": {path.name: sha256(path) for path in sorted(folder.iterdir())},
    }


def sha256(path: Path) -> str:
    """Digest of a file, read by pieces: checkpoints are a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _card(account: Account) -> str:
    return f"""# deeptalk (released weights, converted)

Speech to facial motion with the emotion of the speech, or of another clip: DEEPTalk, arXiv 2408.06010 (AAAI 2025). Cite
the paper where results are shown.

**Terms.** {TERMS[0].upper()}{TERMS[1:]}.

* Output: 50 FLAME expression coefficients and 3 jaw rotations at 25 Hz. No head pose, no gaze, no tongue; blinks are
  unreliable.
* Not causal: every frame depends on the whole clip. Clips of up to 48 s in one piece; emotion is heard in the first
  10 s.
* Reproducible by default: the most likely code is taken. With noise, codes are sampled.
* Trained by its authors on 32 speakers of MEAD, who act eight emotions in English.
* Read from {account.keys} keys, {sum(account.dropped.values())} of which are not needed in use.
"""
