"""Style: four seconds of motion in, one vector out that says how a person moves while speaking."""

import math

import torch
from torch import Tensor, nn

from facestream.errors import InvalidValue
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.encoders.speech_attention import PostNormLayer, sinusoids

STYLE_FRAMES = 100
LAYERS = 4
HEADS = 4
HIDDEN_SHARE = 4
_NORM_SHARE = (9.0 / math.sqrt(128.0), 13.0 / math.sqrt(128.0))
"""A mean of normalised vectors has a norm near sqrt(width). Styles of the released models: 10.8 to 11.25 at 128."""


class StyleEncoder(nn.Module):
    """Four post-norm layers over 100 frames of normalised motion, then the mean over time.

    With `legacy_positions` every frame is given the same position (row 100 of the table), as in the released models:
    an indexing slip of theirs, which makes the style independent of the order of frames. Without it frames are
    numbered 0..99.
    """

    positions: Tensor

    def __init__(self, shape: DenoiserShape, *, legacy_positions: bool) -> None:
        super().__init__()
        width = shape.style_count
        table = sinusoids(STYLE_FRAMES + 1, width)
        rows = table[STYLE_FRAMES:] if legacy_positions else table[:STYLE_FRAMES]
        self.register_buffer("positions", rows, persistent=False)
        self.enter = nn.Linear(shape.motion_count, width)
        self.dropout = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList(
            PostNormLayer(width, HEADS, HIDDEN_SHARE * width, "gelu", shape.dropout) for _ in range(LAYERS)
        )

    def forward(self, motion: Tensor) -> Tensor:
        """`motion` [B, 100, D], normalised -> style [B, width], not normalised.

        Raises `InvalidValue` for another count of frames.
        """
        if motion.shape[1] != STYLE_FRAMES:
            raise InvalidValue("motion", f"{motion.shape[1]} frames", f"{STYLE_FRAMES} frames (4 s at 25 a second)")
        x = self.dropout(self.enter(motion) + self.positions)
        for layer in self.layers:
            x = layer(x)
        style: Tensor = x.mean(dim=1)
        return style


def released_norms(width: int) -> tuple[float, float]:
    """Least and largest norm of styles of `width` numbers that the released models' encoders make."""
    return _NORM_SHARE[0] * math.sqrt(width), _NORM_SHARE[1] * math.sqrt(width)


def check_style(style: Tensor, width: int) -> None:
    """Refuse what no style encoder makes; `style` [..., width]. Raises `InvalidValue`."""
    if style.shape[-1] != width:
        raise InvalidValue("style", f"{style.shape[-1]} components", f"{width}, as this model's style encoder gives")
    least, most = released_norms(width)
    norms = torch.linalg.vector_norm(style, dim=-1)
    if not bool(((norms >= least) & (norms <= most)).all()):
        received = ", ".join(f"{norm:.3g}" for norm in norms.flatten().tolist())
        raise InvalidValue("style", f"norm {received}", f"{least:.3g} to {most:.3g}; extract it with this model")
