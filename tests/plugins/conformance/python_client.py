"""The runner of the Python client.

python -m tests.plugins.conformance.python_client plan.txt report.json
"""

import asyncio
import contextlib
import json
import sys
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.client import AnimationStream, AsyncClient, PlaybackClock, StreamOptions
from facestream.errors import (
    Busy,
    Denied,
    FacestreamError,
    InvalidValue,
    NotFound,
    OutOfOrder,
    TimeLimit,
)
from facestream.events import (
    AheadOfRealTime,
    FlushDone,
    FramesDropped,
    Gap,
    GoingAway,
    SpeechEnded,
    SpeechStarted,
    StreamEvent,
)
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32, Frames, Pose
from tests.plugins.conformance.plan import Case, case_of

CHUNK_S = 0.04
Pcm16 = npt.NDArray[np.int16]


@dataclass
class Row:
    """A frame as a report has it: `values` are 52 weights and 12 numbers of rotation."""

    index: int
    values: Float32


@dataclass
class Seen:
    """What came of a stream."""

    status: str = ""
    failure: str = ""
    message: str = ""
    curve_names: Sequence[str] = ()
    latency_samples: int = 0
    rows: list[Row] = field(default_factory=list)
    events: list[tuple[str, int, int]] = field(default_factory=list)
    resumes: int = 0


def keep(rows: list[Row], resumes: int) -> list[Row]:
    """What a right client does with rows of a run: it keeps them all."""
    del resumes
    return rows


@dataclass(frozen=True)
class Habits:
    """What a wrong client does otherwise; see `wrong_clients`."""

    takes: Callable[[list[Row], int], list[Row]] = keep
    """Rows of a run, and how many resumptions there were, to the rows that are kept."""
    names: Callable[[Sequence[str]], Sequence[str]] = tuple
    hears: Callable[[str], bool] = bool
    """Whether an event of this kind is noted."""
    fails: bool = True
    asks_at: Callable[[int], int] = int
    """The position that the clock is asked for instead of this one."""


RIGHT = Habits()


async def play(cases: Sequence[Case], habits: Habits = RIGHT) -> dict[str, Any]:
    """The report of all cases, played at once."""
    entries = await asyncio.gather(*(_entry(case, habits) for case in cases))
    return {
        "client": "python",
        "transport": "grpc",
        "cases": {case.case: one for case, one in zip(cases, entries, strict=True)},
    }


async def _entry(case: Case, habits: Habits) -> dict[str, Any]:
    with wave.open(case.audio, "rb") as file:
        rate_hz = file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    seen = Seen()
    try:
        await _stream(case, pcm, rate_hz, seen, habits)
    except FacestreamError as error:
        seen.status = "finished"
        if habits.fails:
            seen.status, seen.failure, seen.message = "failed", failure_of(error), str(error)
    clock = FrameClock(FrameRate(case.frame_rate), rate_hz) if seen.rows else None
    return {
        "status": seen.status,
        "failure": seen.failure,
        "message": seen.message,
        "curve_names": list(seen.curve_names),
        "latency_samples": seen.latency_samples,
        "frames": [[row.index, clock.sample_of(row.index), *row.values.tolist()] for row in seen.rows] if clock else [],
        "events": seen.events,
        "resumes": seen.resumes,
        "lost_samples": 0,
        "drawn": drawing(case, clock, seen.rows, habits) if clock and case.draw else [],
    }


async def _stream(case: Case, pcm: Pcm16, rate_hz: int, seen: Seen, habits: Habits) -> None:
    options = StreamOptions(
        sample_rate_hz=rate_hz,
        frame_rate=FrameRate(case.frame_rate),
        model=case.model,
        seed=case.seed,
        slow_reader="wait" if case.slow_reader == "wait" else "drop_oldest",
    )
    async with AsyncClient(case.server, token=case.token or None) as client, client.animate(options) as stream:
        seen.curve_names = habits.names(stream.info.curve_names)
        seen.latency_samples = stream.info.latency_samples
        may_read = asyncio.Event()
        sending = asyncio.create_task(_send(stream, case, pcm, rate_hz, may_read))
        sending.add_done_callback(lambda _: may_read.set())  # whatever it ended with
        try:
            await may_read.wait()
            await _read(stream, case, seen, habits)
            if seen.status == "finished":
                await sending
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, FacestreamError):
                await sending  # where both failed, the reader's error is the one to tell
            seen.resumes = stream.resume_count


async def _send(stream: AnimationStream, case: Case, pcm: Pcm16, rate_hz: int, may_read: asyncio.Event) -> None:
    chunk = round(CHUNK_S * rate_hz)
    begun, paused_s = asyncio.get_running_loop().time(), 0.0
    for first in range(0, pcm.size, chunk):
        if first >= case.read_after:
            may_read.set()
        piece = pcm[first : first + chunk]
        if case.pause is not None and first <= case.pause[0] < first + chunk:
            paused_s = case.pause[1] / 1000
            await asyncio.sleep(paused_s)
        if case.pace == "live":
            due = begun + paused_s + (first + piece.size) / rate_hz
            await asyncio.sleep(due - asyncio.get_running_loop().time())
        await stream.send(piece)
    await stream.finish()


async def _read(stream: AnimationStream, case: Case, seen: Seen, habits: Habits) -> None:
    async for message in stream.messages():
        if not isinstance(message, Frames):
            event = event_of(message)
            seen.events += [event] if habits.hears(event[0]) else []
            continue
        seen.rows += habits.takes(rows_of(message), stream.resume_count)
        if case.cancel_after is not None and len(seen.rows) >= case.cancel_after:
            seen.status = "cancelled"  # by leaving the stream
            return
    seen.status = "finished"


def drawing(case: Case, clock: FrameClock, rows: Sequence[Row], habits: Habits = RIGHT) -> list[list[float]]:
    """What the playback clock shows of the frames that came, as the README says: `[position, starved, *64 values]`."""
    assert case.draw is not None
    step, lead, until = case.draw
    lost = range(case.lose[0], sum(case.lose)) if case.lose else range(0)
    waiting = [row for row in rows if row.index not in lost]
    playback, drawn = PlaybackClock(clock), []
    for position in range(0, until, step):
        while waiting and clock.sample_of(waiting[0].index) <= position + lead:
            playback.add(_frame_of(waiting.pop(0)))
        face = playback.at(habits.asks_at(position))
        values = np.concatenate([face.weights, face.head, face.left_eye, face.right_eye])
        drawn.append([position, int(face.is_starved), *values.tolist()])
    return drawn


def rows_of(frames: Frames) -> list[Row]:
    """Each frame of a run."""
    pose = frames.pose
    rest = np.tile(np.array([0, 0, 0, 1], np.float32), (frames.count, 3))
    rotations = rest if pose is None else np.concatenate([pose.head, pose.left_eye, pose.right_eye], axis=1)
    values = np.concatenate([frames.weights, rotations], axis=1)
    return [Row(frames.first_index + place, row) for place, row in enumerate(values)]


def _frame_of(row: Row) -> Frames:
    weights, head, left_eye, right_eye = np.split(row.values[None], [-12, -8, -4], axis=1)
    return Frames(row.index, weights, Pose(head, left_eye, right_eye))


def event_of(event: StreamEvent) -> tuple[str, int, int]:
    """Kind, position, count."""
    match event:
        case FlushDone(marker_id):
            return "flush_done", 0, marker_id
        case Gap(first, count):
            return "gap", first, count
        case FramesDropped(first, count):
            return "frames_dropped", first, count
        case SpeechStarted(sample):
            return "speech_started", sample, 0
        case SpeechEnded(sample):
            return "speech_ended", sample, 0
        case AheadOfRealTime(ahead):
            return "ahead_of_real_time", 0, ahead
        case GoingAway():
            return "going_away", 0, 0


def failure_of(error: FacestreamError) -> str:
    """The report's word for it."""
    words: dict[type[FacestreamError], str] = {
        InvalidValue: "options",
        NotFound: "options",
        Denied: "denied",
        Busy: "unavailable",
        OutOfOrder: "protocol",
        TimeLimit: "time_limit",
    }
    return next((word for kind, word in words.items() if isinstance(error, kind)), "server")


def main() -> None:
    """Read the plan, write the report."""
    plan, report = map(Path, sys.argv[1:])
    cases = [case_of(line) for line in plan.read_text().splitlines()]
    report.write_text(json.dumps(asyncio.run(play(cases))))


if __name__ == "__main__":
    main()
