"""What a caller may choose about the last stage."""

from dataclasses import dataclass

from facestream.errors import InvalidValue

MAX_MOUTH_STRENGTH = 2.0


def check_mouth_strength(value: float) -> None:
    """Raise `InvalidValue` outside 0..2."""
    if not 0.0 <= value <= MAX_MOUTH_STRENGTH:  # also refuses NaN
        raise InvalidValue("mouth_strength", value, f"a number from 0 to {MAX_MOUTH_STRENGTH:g}; 1 leaves it as it is")


@dataclass(frozen=True, slots=True)
class PolishOptions:
    """Choices of one stream.

    `mouth_strength` 0..2 scales mouth, jaw and tongue; `smoothing` 0..1 scales the smoothing of openings (closures are
    never delayed); `blinks` and `gaze` switch the seeded layers; `ease_to_rest` calms the mouth while the network
    hears no speech (the end of the audio always eases to rest).
    """

    mouth_strength: float = 1.0
    smoothing: float = 1.0
    blinks: bool = True
    gaze: bool = True
    ease_to_rest: bool = True

    def __post_init__(self) -> None:
        check_mouth_strength(self.mouth_strength)
        if not 0.0 <= self.smoothing <= 1.0:
            raise InvalidValue("smoothing", self.smoothing, "a number from 0 to 1; 0 switches it off")


@dataclass(frozen=True, slots=True)
class ControlChange:
    """New values from a stated sample on; `None` leaves a value as it is."""

    mouth_strength: float | None = None
    blinks: bool | None = None
    gaze: bool | None = None

    def __post_init__(self) -> None:
        if self.mouth_strength is not None:
            check_mouth_strength(self.mouth_strength)
