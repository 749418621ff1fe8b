"""How well curves follow their reference: Pearson's r, pooled over all frames of all clips."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.coarticulation import CURVE, lip_gap

Curves = NDArray[np.floating]


def pearson(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Pearson's r of two arrays of one length; 0 where one of them does not move."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 1e-12 else 0.0


def curve_correlations(predicted: Sequence[Curves], reference: Sequence[Curves]) -> dict[str, float]:
    """Correlation of `jaw`, `gap`, `round` (funnel + pucker) and `stretch` over pairs of clips `[F, 15]`."""
    ours, theirs = np.concatenate(list(predicted)), np.concatenate(list(reference))

    def rounding(curves: Curves) -> NDArray[np.floating]:
        return np.asarray(curves[:, CURVE["mouthFunnel"]] + curves[:, CURVE["mouthPucker"]])

    return {
        "jaw": pearson(ours[:, CURVE["jawOpen"]], theirs[:, CURVE["jawOpen"]]),
        "gap": pearson(lip_gap(ours), lip_gap(theirs)),
        "round": pearson(rounding(ours), rounding(theirs)),
        "stretch": pearson(ours[:, CURVE["mouthStretch"]], theirs[:, CURVE["mouthStretch"]]),
    }
