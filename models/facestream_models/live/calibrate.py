"""Sets how readily the lips seal: `python -m facestream_models.live.calibrate --weights weights.pt --speech DIR ...`.

Cross-entropy makes the seal gate an honest probability, so a bilabial that is heard at .6 is drawn six tenths shut.
Lips do not do that. Two numbers, a sharpness and a shift of the gate's logit, are chosen on aligned real speech of
speakers and languages that neither training nor the published figures use, and folded into the network's last layer.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream_models.corpus.coarticulation import lip_gap, speech_curves
from facestream_models.corpus.store import Utterance, iterate
from facestream_models.live.network import LiveNetwork, anatomical, hear_clip
from facestream_models.live.weights import load_network
from facestream_models.metrics.closure import bilabial_closures, false_closures
from facestream_models.metrics.correlation import pearson
from facestream_models.metrics.segments import Segments

SHARPNESS = (1.0, 1.5, 2.0, 2.5, 3.0)
SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
MOST_FALSE_CLOSURES = 0.02


class Setting(NamedTuple):
    """Seal gate = sigmoid(sharpness * (logit + shift)), and what it scored."""

    sharpness: float
    shift: float
    closure: float
    false_closure: float
    r_gap: float

    @property
    def merit(self) -> float:
        """Closures count, a faithful gap counts half, shutting a vowel by mistake is forbidden beyond a share."""
        return self.closure + 0.5 * self.r_gap - 20.0 * max(0.0, self.false_closure - MOST_FALSE_CLOSURES)


class _Heard(NamedTuple):
    raw: Tensor
    contacts: Tensor
    segments: Segments
    gap: np.ndarray


def choose_setting(network: LiveNetwork, speech: Sequence[Utterance]) -> list[Setting]:
    """Score every setting on `speech`; the best comes first."""
    heard = [_hear(network, utterance) for utterance in speech]
    found = [_score(heard, sharpness, shift) for sharpness in SHARPNESS for shift in SHIFTS]
    return sorted(found, key=lambda setting: -setting.merit)


def apply_setting(network: LiveNetwork, setting: Setting) -> None:
    """Fold sharpness and shift into the seal row of the contact layer, in place."""
    with torch.no_grad():
        network.contacts.weight[0] *= setting.sharpness
        network.contacts.bias[0] = setting.sharpness * (network.contacts.bias[0] + setting.shift)


def _hear(network: LiveNetwork, utterance: Utterance) -> _Heard:
    output = hear_clip(network, torch.from_numpy(utterance.audio.astype(np.float32) / 32768.0))
    segments = (utterance.classes, utterance.starts, utterance.ends)
    reference = speech_curves(*segments, utterance.audio, frames=output.raw.shape[1])
    seconds = Segments(utterance.classes.astype(np.int64), utterance.starts / 16_000, utterance.ends / 16_000)
    return _Heard(output.raw[0], output.contacts[0], seconds, lip_gap(reference))


def _score(heard: Sequence[_Heard], sharpness: float, shift: float) -> Setting:
    gaps = []
    for one in heard:
        gates = torch.sigmoid(torch.stack([sharpness * (one.contacts[:, 0] + shift), one.contacts[:, 1]], dim=1))
        gaps.append(lip_gap(anatomical(one.raw, gates).numpy()))
    sealed = [bilabial_closures(gap, one.segments) for gap, one in zip(gaps, heard, strict=True)]
    shut = [false_closures(gap, one.segments) for gap, one in zip(gaps, heard, strict=True)]
    r_gap = pearson(np.concatenate(gaps), np.concatenate([one.gap for one in heard]))
    return Setting(sharpness, shift, float(np.concatenate(sealed).mean()), float(np.concatenate(shut).mean()), r_gap)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="weights.pt of a training run")
    parser.add_argument("--speech", type=Path, required=True, help="corpus folder of aligned speech")
    parser.add_argument("--sources", nargs="+", required=True, help="sources of it to calibrate on")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(arguments.weights)
    ranked = choose_setting(network, list(iterate(arguments.speech, arguments.sources)))
    for setting in ranked[:5]:
        print(f"merit {setting.merit:.3f}", *(f"{k} {v:.3f}" for k, v in setting._asdict().items()))
    apply_setting(network, ranked[0])
    stored = torch.load(arguments.weights, weights_only=True)
    stored["weights"] = network.state_dict()
    stored["facts"]["seal_gate"] = {k: round(float(v), 4) for k, v in ranked[0]._asdict().items()}
    stored["facts"]["seal_gate_chosen_on"] = arguments.sources
    torch.save(stored, arguments.out)


if __name__ == "__main__":
    main()
