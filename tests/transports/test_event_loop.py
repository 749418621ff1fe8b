import asyncio
import sys

import pytest

from facestream.serving.short_turns import INTERVAL_S
from facestream.transports import event_loop


def loop_of_a_run() -> str:
    seen = []

    async def look() -> None:
        await asyncio.sleep(0)
        seen.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    event_loop.run(look())
    return "".join(seen)


def test_libuvs_loop_is_taken_where_it_is_installed() -> None:
    pytest.importorskip("uvloop")
    assert loop_of_a_run() == "uvloop"


def test_without_it_a_server_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_of_a_run() == "asyncio"


def test_threads_take_short_turns_in_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    set_intervals: list[float] = []
    monkeypatch.setattr(sys, "setswitchinterval", set_intervals.append)
    loop_of_a_run()
    assert set_intervals == [INTERVAL_S]
    assert INTERVAL_S < 0.005, "than Python's own"
