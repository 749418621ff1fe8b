"""Frame rates as they are typed."""

from fractions import Fraction

from facestream.errors import InvalidValue
from facestream.timebase import FrameRate


def parse_frame_rate(text: str) -> FrameRate:
    """`30` or `30000/1001` as a ratio; raises `InvalidValue` for anything else."""
    try:
        ratio = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InvalidValue("frame_rate", repr(text), "a number or a ratio, for example 30 or 30000/1001") from None
    return FrameRate(ratio.numerator, ratio.denominator)
