"""Sizes of a DiffPoseTalk denoiser, and the time base that all of them share.

Shapes in this package: `B` rows, `L` frames of a window, `P` frames of the past, `D` motion components, `W` width of
the network, which is also that of its audio features, `T` diffusion steps.
"""

from dataclasses import dataclass

SAMPLE_RATE_HZ = 16_000
FRAME_RATE = 25
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE

EXPRESSION_COUNT = 50


@dataclass(frozen=True)
class DenoiserShape:
    """The defaults are the paper's, as its released weights have them (specification, section 4).

    `guess_variance` is how far off, in mean square, the network's own guess is taken to be when it is weighed against
    the noisy motion itself; 0: it is not weighed. `head_variance` is the same of the head, which is quicker; 0: as the
    face. Heads that were taught gains of their own (`head_trust`) begin with it.
    """

    head_rotation: bool = True
    window: int = 100
    past: int = 10
    width: int = 512
    layers: int = 8
    heads: int = 8
    hidden: int = 2048
    identity_count: int = 100
    style_count: int = 128
    dropout: float = 0.1
    guess_variance: float = 0.0
    head_variance: float = 0.0

    @property
    def motion_count(self) -> int:
        """Motion components of a frame: expression, head rotation (where there is one), opening of the jaw."""
        return EXPRESSION_COUNT + 3 * self.head_rotation + 1

    @property
    def head_components(self) -> slice:
        """Which of the motion components are head rotation; an empty slice where there is none."""
        return slice(EXPRESSION_COUNT, EXPRESSION_COUNT + 3 * self.head_rotation)

    @property
    def memory_count(self) -> int:
        """Frames the network sees at once: past and window."""
        return self.past + self.window

    @property
    def window_samples(self) -> int:
        """Audio samples of a window at 16 kHz."""
        return self.window * FRAME_SAMPLES
