"""NT-Xent, the contrastive loss of the style encoder (Chen et al. 2020, equation 1): same person near, others far."""

import torch
from torch import Tensor
from torch.nn import functional as F

TEMPERATURE = 0.1


def nt_xent(first: Tensor, second: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Mean over 2 B anchors; row i of `first` [B, width] and of `second` are two takes of one person.

    Each anchor is told from the 2 B - 2 takes of other persons.
    """
    styles = F.normalize(torch.cat([first, second]), dim=1)
    likeness = styles @ styles.T / temperature
    likeness = likeness.masked_fill(torch.eye(len(styles), dtype=torch.bool, device=styles.device), float("-inf"))
    partner = torch.arange(len(styles), device=styles.device).roll(len(first))
    return F.cross_entropy(likeness, partner)
