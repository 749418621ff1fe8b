"""How long a thread may keep Python's lock while another waits for it.

A thread that comes back from a system call with an answer of the engine waits for the lock as long as the event loop is
busy, five milliseconds at a time. With 200 streams of `live` on two cores p99 of the added latency was 37, 93 and 64 ms
with Python's own interval in both processes, 56, 49 and 47 with one of 1 ms, at the same processor time; 208 streams
had 76, 130 and 99 with 1 ms, 72, 92 and 66 with half of that (single runs by turns, 2026-11-22).
"""

import sys

INTERVAL_S = 0.0005


def take_short_turns() -> None:
    """From now on, in this process."""
    sys.setswitchinterval(INTERVAL_S)
