"""Clients that are wrong on purpose, each in one way: they really play a case, and must not pass it."""

from collections.abc import Callable
from dataclasses import replace

from tests.plugins.conformance.python_client import RIGHT, Habits, Row

FRAME_SAMPLES = 534
"""One frame at 30 a second, 16 kHz."""


def _numbered_late(rows: list[Row], resumes: int) -> list[Row]:
    del resumes
    return [replace(row, index=row.index + 1) for row in rows]


def _once_resumed(copies: int) -> Callable[[list[Row], int], list[Row]]:
    """The first row behind a resumption `copies` times."""
    is_done = False

    def takes(rows: list[Row], resumes: int) -> list[Row]:
        nonlocal is_done
        if not resumes or is_done:
            return rows
        is_done = True
        return rows[:1] * copies + rows[1:]

    return takes


def wrong_clients() -> dict[str, tuple[str, Habits]]:
    """What each does, and the case that it plays."""
    return {
        "numbers frames one late": ("stream", replace(RIGHT, takes=_numbered_late)),
        "draws frames one late": ("stream", replace(RIGHT, asks_at=lambda position: position - FRAME_SAMPLES)),
        "draws frames before their sound": (
            "stream",
            replace(RIGHT, asks_at=lambda position: position + FRAME_SAMPLES),
        ),
        "takes curves by position": ("stream", replace(RIGHT, names=sorted)),
        "loses a frame when it resumes": ("reconnect", replace(RIGHT, takes=_once_resumed(0))),
        "repeats a frame when it resumes": ("reconnect", replace(RIGHT, takes=_once_resumed(2))),
        "holds for ever when it starves": ("starvation", replace(RIGHT, asks_at=lambda position: min(position, 32000))),
        "hides that frames were dropped": ("slow-reader", replace(RIGHT, hears=lambda kind: kind != "frames_dropped")),
        "takes an error for an end": ("wrong-token", replace(RIGHT, fails=False)),
    }
