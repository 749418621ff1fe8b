"""Exact time: frame rates as ratios, frames addressed by audio samples. Nothing here is a float of seconds."""

from dataclasses import dataclass
from fractions import Fraction

from facestream.errors import InvalidValue

MIN_FRAME_RATE = 10
MAX_FRAME_RATE = 120


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames per second as a ratio, for example 30/1 or 30000/1001."""

    numerator: int
    denominator: int = 1

    def __post_init__(self) -> None:
        in_order = self.numerator > 0 and self.denominator > 0
        if not in_order or not MIN_FRAME_RATE <= self.numerator / self.denominator <= MAX_FRAME_RATE:
            raise InvalidValue(
                "frame_rate",
                f"{self.numerator}/{self.denominator}",
                f"a ratio between {MIN_FRAME_RATE}/1 and {MAX_FRAME_RATE}/1, for example 30/1 or 30000/1001",
            )

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class FrameClock:
    """Maps frame indices to samples of audio at `sample_rate_hz` and back, exactly.

    Frame `i` belongs to sample `ceil(i * sample_rate_hz * den / num)` (architecture, section 3).
    """

    rate: FrameRate
    sample_rate_hz: int

    def sample_of(self, frame_index: int) -> int:
        """First sample at or after the frame's time."""
        return -(-frame_index * self.sample_rate_hz * self.rate.denominator // self.rate.numerator)

    def frames_until(self, sample: int) -> int:
        """How many frames (from frame 0) belong to samples before `sample`."""
        # frame i belongs to a sample before `sample` if and only if its exact time is not after `sample - 1`
        return (sample - 1) * self.rate.numerator // (self.sample_rate_hz * self.rate.denominator) + 1

    def time_of(self, frame_index: int) -> Fraction:
        """Exact time of a frame in seconds; for interpolation and for showing to people."""
        return Fraction(frame_index * self.rate.denominator, self.rate.numerator)
