"""Which way a figure is better, by the end of its name: what lets a tool say "worse" of two numbers."""

import re
from enum import Enum


class Better(Enum):
    """How to read a change."""

    LOWER = "lower"
    HIGHER = "higher"
    NEARER_ZERO = "nearer 0"
    NEITHER = ""
    """Tells what was measured, not how well."""


_RULES: tuple[tuple[str, Better], ...] = (
    (r"^capacity\..*\.streams$", Better.HIGHER),
    # What was measured, and how much of it
    (
        r"(^|[._])(steps|streams|threads|samples|minutes|windows|bilabials|count|gflop|chance|seconds|rows_at_once)$",
        Better.NEITHER,
    ),
    (r"\.(calls_\w+|burst_frames_per_message|products_ms|traffic_mb)$", Better.NEITHER),
    (r"(_steps_run|_millions|megabytes|temperature)$", Better.NEITHER),
    # As fast, as many, as right as can be
    (
        r"(fps(_p1)?|per_s(_p1)?|times_real_time(\.\w+)?|times_faster|products_share|realtime_rows|tflops|gb_per_s)$",
        Better.HIGHER,
    ),
    (r"share_of_(arithmetic|traffic)$", Better.HIGHER),
    (r"(^|[._])(false_closure)$", Better.LOWER),
    (r"(^|[._])(closure|accuracy(_all|_of_own)?|sealed|rank1|r|r_(gap|jaw|lips|round|stretch))$", Better.HIGHER),
    # On time: neither early nor late
    (r"(^|[._])(fine_)?sync_ms$|\.lag_ms$", Better.NEARER_ZERO),
    # Time, memory, work, harm
    (r"_(ms|s|us|mb|mm|deg)(_per_\w+)?(\.best)?$|\.(ms|ms_per_row|frame_us)$", Better.LOWER),
    (
        r"us_per_frame$|real_time_factor$|times_products$|(^|[._])cores$|(cpu|overhead)_share$|fast_over_plain$",
        Better.LOWER,
    ),
    (r"missed(_\w+)?$|held_share$|dropped_frames$|errors$|leaked_\w+$", Better.LOWER),
    (r"^parity\.|difference(\.\w+)?$|^round_trip\.|(^|\.)open(_mean)?\.\w+$|_deviation", Better.LOWER),
)
"""The first rule that finds itself in a name decides."""


def meaning_of(key: str) -> Better:
    """Which way the figure of that name is better; `NEITHER` too for names that no rule knows."""
    return next((better for pattern, better in _RULES if re.search(pattern, key)), Better.NEITHER)
