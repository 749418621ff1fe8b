import asyncio
import sys

import pytest

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
