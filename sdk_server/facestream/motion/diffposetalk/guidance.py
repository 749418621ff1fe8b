"""Classifier-free guidance with one scale for speech and one for style (specification, section 6.3).

The network is asked with and without its conditions, and the guess is a weighted sum of the answers (*branches*). The
weights follow from the scales; a branch whose weight is zero is not computed at all. So an audio scale of 1 saves a
third of the work, as do equal scales with style on top of speech (what is heard without a style weighs nothing), and
both scales at 1 leave a single, conditional evaluation.
"""

from dataclasses import dataclass
from typing import NamedTuple

from facestream.errors import InvalidValue
from facestream.styling import MAX_SCALE, MODES, GuidanceMode


class Branch(NamedTuple):
    """Which conditions a branch is given; the learned null vectors stand in for the others."""

    audio: bool
    style: bool


@dataclass(frozen=True)
class Guidance:
    """Scales 0 to 10: 0 ignores a condition, 1 takes it as it is, more overdoes it. The defaults are the authors'.

    `incremental` adds speech first and style on top of it; `independent` adds each to the unconditional answer.
    Raises `InvalidValue` for a scale or mode that does not exist.
    """

    audio_scale: float = 1.15
    style_scale: float = 3.0
    mode: GuidanceMode = "incremental"

    def __post_init__(self) -> None:
        for name in ("audio_scale", "style_scale"):
            scale = getattr(self, name)
            if not 0.0 <= scale <= MAX_SCALE:
                raise InvalidValue(f"guidance.{name}", scale, f"0 to {MAX_SCALE:g}")
        if self.mode not in MODES:
            raise InvalidValue("guidance.mode", self.mode, " or ".join(MODES))

    def weights(self, *, has_style: bool = True) -> dict[Branch, float]:
        """Weight of each branch that counts; they sum to 1. Without a style only speech is guided."""
        nothing = Branch(audio=False, style=False)
        speech = Branch(audio=True, style=False)
        weights = {nothing: 1.0 - self.audio_scale, speech: self.audio_scale}
        if has_style:
            below = speech if self.mode == "incremental" else nothing
            above = below._replace(style=True)
            weights[below] -= self.style_scale
            weights[above] = self.style_scale
        return {branch: weight for branch, weight in weights.items() if weight != 0.0}
