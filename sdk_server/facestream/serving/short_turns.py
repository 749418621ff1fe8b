"""How long a thread may keep Python's lock while another waits for it.

What comes back from a system call with an answer of the engine, or with samples for it, waits for the lock as long as
others are busy, five milliseconds at a time. In the process of the transports: with Python's own interval p99 at 32
streams on two busy cores was 139 to 888 ms over three runs, with this 38 to 151 ms (2026-11-21). In that of the engine,
which takes two steps at once: with 200 streams 37 to 93 ms over six runs, with one of 1 ms 38 to 56 over six; with 208
streams 72 to 130 with 1 ms and 66 to 92 with this (by turns, 2026-11-22). It takes no more of the processors.
"""

import sys

INTERVAL_S = 0.0005


def take_short_turns() -> None:
    """From now on, in this process."""
    sys.setswitchinterval(INTERVAL_S)
