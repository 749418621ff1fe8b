"""A bundle from the released `DEEPTalk.pth`, and from the user's FLAME where ARKit weights are wanted.

    checkpoint -> read safely -> every key accounted for -> two ONNX graphs, held to torch
    FLAME 2020 -> rig profile (how the 52 ARKit shapes look in its coefficients)
    -> folder: emotion.onnx, motion.onnx, rig_profile.npz, card.md, manifest.json with the digest of each

Neither file may be passed on, and so the bundle may not be either: its card and manifest say it.
"""

from collections.abc import Callable
from pathlib import Path

from facestream_models.deeptalk.bundle import CARD, PROFILE, write_manifest
from facestream_models.deeptalk.graph import EMOTION_GRAPH, MOTION_GRAPH, export_graphs
from facestream_models.deeptalk.official_weights import Account, load_deeptalk
from facestream_models.flame.licensed import load_flame
from facestream_models.flame.release import check_flame_2020
from facestream_models.flame.rig_profile import fit_rig_profile, save_profile
from facestream_models.released.folder import check_output, new_folder, sha256

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

_VERSION = "2024.8"

Say = Callable[[str], None]


def convert(checkpoint: Path, flame: Path | None, output: Path, say: Say) -> Path:
    """Write the bundle folder `output` and return it; `say` gets a line for each thing found, dropped and done.

    Raises `InvalidValue` or `BundleError`, one clear line, and leaves nothing behind.
    """
    check_output(output)
    head = None
    if flame is not None:
        head = load_flame(flame)
        check_flame_2020(head, flame)
        say(f"{flame}: FLAME 2020, {head.vertex_count} vertices, head {head.digest()[:12]}")
    network, account = load_deeptalk(checkpoint)
    say(f"{checkpoint}: {account.keys} keys, {account.keys - sum(account.dropped.values())} of them used")
    for reason, count in account.dropped.items():
        say(f"  dropped {count:4d}: {reason}")
    with new_folder(output) as folder:
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
        write_manifest(
            folder, network, graphs, name="deeptalk", version=_VERSION, speakers=ACTORS, licence=LICENCE,
            training=source, head_digest=None if head is None else head.digest(),
        )  # fmt: skip
    return output


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
* Emotion comes from the speech itself, another clip or a stored vector; there are no presets. Speakers are the 32 of
  the training set.
* Trained by its authors on 32 speakers of MEAD, who act eight emotions in English.
* Read from {account.keys} keys, {sum(account.dropped.values())} of which are not needed in use.
"""
