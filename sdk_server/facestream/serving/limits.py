"""What one stream may do."""

from dataclasses import dataclass

CHUNK_BOUND_S = 1
"""Longest chunk of audio; longer ones would only add latency."""

AHEAD_TOLD_S = 1.0
"""How far ahead of real time a live stream runs before it is told."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a server's streams. Times in seconds, lengths in seconds of audio."""

    message_bytes: int = 256 * 1024
    input_bound_s: float = 2.0
    """Audio taken ahead of the engine; reading stops beyond it."""
    outbox_bound_s: float = 2.0
    """Unsent frames kept."""
    start_timeout_s: float = 5.0
    idle_timeout_s: float = 30.0
    max_age_s: float | None = None
    going_away_notice_s: float = 30.0
