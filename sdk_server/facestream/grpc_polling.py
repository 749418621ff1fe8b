"""How gRPC waits for its sockets: chosen by a process of ours before it imports gRPC for the first time.

Since 1.80 grpcio hands sockets to an event engine with threads of its own, between its completion queue and Python's
loop. On two cores these threads cost the server and a client of 64 streams a twelfth of both cores, just where they are
busiest: p99 of the added latency 104 and 80 ms with 128 and 0 missed frames became 63 and 25 ms with none (pairs of
runs, one after the other, 2026-11-21, grpcio 1.85.1). The older way of waiting is still there, behind a switch that
a later grpcio will drop.
"""

import os
from importlib.metadata import version

_SWITCH = "GRPC_EXPERIMENTS"
_OLDER_WAY = "-event_engine_client,-event_engine_listener"
_FIRST, _LAST = (1, 80), (1, 85)
"""Releases that have both the event engine and the switch; others complain of a name they do not know."""


def choose_polling() -> None:
    """Ask for the older way where it can be had; whoever has set the variable already is left alone."""
    major, minor = version("grpcio").split(".")[:2]
    if _FIRST <= (int(major), int(minor)) <= _LAST:
        os.environ.setdefault(_SWITCH, _OLDER_WAY)
