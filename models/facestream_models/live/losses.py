"""What training asks of the network: classes first, then curves, contacts and, where measured, real lips."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from facestream_models.corpus.coarticulation import CURVE, CURVES
from facestream_models.corpus.phones import CLASSES, INDEX
from facestream_models.live.data import Batch
from facestream_models.live.network import LiveOutput

SEALED_LIPS = 0.02
"""Measured inner-lip distance (over the outer eye corners) below which real lips count as shut."""

_CURVE_WEIGHTS = {
    "jawOpen": 2.0, "mouthClose": 1.0, "mouthFunnel": 1.5, "mouthPucker": 1.5, "mouthStretch": 1.5,
    "mouthRollLower": 0.7, "mouthRollUpper": 0.5, "mouthPress": 0.7, "mouthShrugLower": 0.5, "mouthDimple": 0.5,
    "tongueOut": 0.7, "jawForward": 0.5,
}  # fmt: skip
_CLASS_WEIGHTS = {"sil": 0.8, "PP": 2.0, "FF": 1.6, "W": 1.3, "CH": 1.2}
_OPEN_VOWELS = ("aa", "ae", "O", "E")


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of the sum."""

    classes: float = 1.0
    curves: float = 6.0
    gap: float = 6.0
    velocity: float = 3.0
    contacts: float = 0.4
    closure: float = 2.0
    false_closure: float = 2.0
    lips: float = 0.4
    seal_bias: float = 1.5


class LiveLoss:
    """Terms of the loss for one batch; call with the network's output for the whole window."""

    def __init__(self, weights: LossWeights, lookahead_steps: int) -> None:
        self.weights = weights
        self.lookahead_steps = lookahead_steps
        self.class_weights = torch.tensor([_CLASS_WEIGHTS.get(name, 1.0) for name in CLASSES])
        self.curve_weights = torch.tensor([_CURVE_WEIGHTS.get(name, 1.0) for name in CURVES])
        self.open_vowels = torch.tensor([INDEX[name] for name in _OPEN_VOWELS])

    def __call__(self, output: LiveOutput, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms; their sum is the loss. Output step k is judged at instant k + 1 - look-ahead."""
        late = self.lookahead_steps - 1
        curves, logits, contacts = (part[:, late:] for part in output[:3])
        heard = slice(None, -late if late else None)
        target_classes, target_curves = batch.classes[:, heard], batch.curves[:, heard]
        target_contacts, lips, labelled = batch.contacts[:, heard], batch.lips[:, heard], batch.labelled[:, heard]
        # The first half second has little to listen to.
        mask = labelled.clone()
        mask[:, :20] *= 0.3
        amount = mask.sum().clamp(min=1.0)

        def mean(value: Tensor) -> Tensor:
            return (value * mask).sum() / amount

        weights = self.weights
        importance = target_classes @ self.class_weights
        cross_entropy = -(target_classes * F.log_softmax(logits, dim=2)).sum(dim=2)
        gap, target_gap = gap_of(curves), gap_of(target_curves)
        sealed = (target_contacts[..., 0] > 0.95).float()
        open_vowel = (target_classes[..., self.open_vowels].sum(dim=2) > 0.8) & (target_gap > 0.15)
        error = (curves - target_curves) * self.curve_weights.sqrt()
        gate = F.binary_cross_entropy_with_logits(contacts, target_contacts, reduction="none")
        gate = gate * (1.0 + weights.seal_bias * target_contacts)
        change = (curves[:, 1:] - curves[:, :-1]) - (target_curves[:, 1:] - target_curves[:, :-1])
        terms = {
            "classes": weights.classes * mean(importance * cross_entropy),
            "curves": weights.curves * mean((0.5 * error.abs() + 4.0 * error**2).mean(dim=2)),
            "gap": weights.gap * mean(0.2 * (gap - target_gap).abs() + (gap - target_gap) ** 2),
            "velocity": weights.velocity * (change.abs().mean(dim=2) * mask[:, 1:]).sum() / amount,
            "contacts": weights.contacts * mean(gate.sum(dim=2)),
            "closure": weights.closure * mean(sealed * F.relu(gap - 0.02)),
            "false_closure": weights.false_closure * mean(open_vowel * F.relu(0.10 - gap)),
        }
        if torch.isfinite(lips).any():
            terms["lips"] = weights.lips * lips_disagreement(gap, lips)
        return terms


def gap_of(curves: Tensor) -> Tensor:
    """Lip gap `[..., 15] -> [...]`: `coarticulation.lip_gap` in torch."""
    opening = curves[..., CURVE["jawOpen"]] - curves[..., CURVE["mouthClose"]]
    return opening + 0.30 * curves[..., CURVE["mouthLowerDown"]] + 0.25 * curves[..., CURVE["mouthUpperUp"]]


def lips_disagreement(gap: Tensor, lips: Tensor) -> Tensor:
    """One minus the correlation of predicted gap and measured lips `[B, S]`, plus what stays open where lips are shut.

    Rows without measurements hold NaN and do not count. Scale and offset of the measurement are those of one face,
    so only its course is learned.
    """
    measured = torch.isfinite(lips).all(dim=1)
    gap, lips = gap[measured], lips[measured]
    a, b = (x - x.mean(dim=1, keepdim=True) for x in (gap, lips))
    correlation = (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-4)
    shut = (lips < SEALED_LIPS).float()
    left_open = (shut * F.relu(gap - 0.03)).sum() / shut.sum().clamp(min=1.0)
    total: Tensor = (1.0 - correlation).mean() + 4.0 * left_open
    return total
