"""Streams that come and go for minutes, and what is left of them: drift of memory and latency, errors, leaks.

    facestream-bench soak --minutes 30 --streams 48

Writes `benchmarks/results/soak_MODEL.json`. The callers are those of `soak_callers`. Memory and open files are looked
at every `--look-s` seconds; drift is the straight line through what was seen behind the first fifth, when the server
has met every kind of caller. `added_p99_{first,last}_ms` are of the frames of the first and the last quarter. When all
are gone, `leaked_*` is what the server still holds beyond what it held before the first one came.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facestream.client import StreamOptions
from facestream.types import Float32
from facestream_bench.chosen_model import add_engine, add_model, label_of, options_of, settings_of
from facestream_bench.command import add_output, publish
from facestream_bench.live_load import percentiles_ms
from facestream_bench.server_process import Holdings, running_server
from facestream_bench.soak_callers import SHARES, Callers, Diary, one_seat
from facestream_bench.speech import speech_of

WARM_SHARE = 0.2
SETTLE_S = 3.0
"""What callers left behind is given so long to be noticed and cleared away."""
LONGEST_S = 8.0
"""Of one call."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Look:
    """What the server held at a moment, seconds since the beginning."""

    moment_s: float
    held: Holdings


def main(words: Sequence[str] | None = None) -> None:
    """Soak and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--streams", type=int, default=32, help="seats: callers at once")
    parser.add_argument("--look-s", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of who does what when")
    add_model(parser)
    add_engine(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    label, options, pcm = label_of(arguments), options_of(arguments), speech_of(LONGEST_S)
    limits = {"max_clips": arguments.streams, **settings_of(arguments)}
    with running_server(arguments.model, arguments.streams, **limits) as server:
        diary, looks = asyncio.run(
            soak(
                Visit(server.address, pcm, options, arguments.streams, arguments.seed),
                server.holdings,
                60 * arguments.minutes,
                arguments.look_s,
            )
        )
    figures = {f"soak.{label}.{key}": value for key, value in figures_of(diary, looks).items()}
    notes = [f"{count} x {what}" for what, count in diary.errors.most_common(5)]
    publish(f"soak_{label}", figures, parser, arguments, notes)


@dataclass(frozen=True)
class Visit:
    """Who calls whom: `seats` callers at once, who say pieces of `pcm` [T]."""

    address: str
    pcm: Float32
    options: StreamOptions
    seats: int
    seed: int = 1


async def soak(
    visit: Visit, look: Callable[[], Holdings], seconds: float, look_every_s: float, settle_s: float = SETTLE_S
) -> tuple[Diary, list[Look]]:
    """Callers for so long; gives their diary and what `look` saw, first before they came, last when all were gone."""
    chance = random.Random(visit.seed)

    def callers_from_now() -> Callers:
        return Callers(visit.address, visit.pcm, visit.options, Diary(), time.perf_counter(), chance)

    first = callers_from_now()
    for kind in SHARES:
        await first.call(kind)  # what the first of each kind makes the server allocate is no leak
    await asyncio.sleep(settle_s)
    callers = callers_from_now()
    callers.diary.errors.update(first.diary.errors)
    looks = [Look(0.0, await asyncio.to_thread(look))]
    seats = [asyncio.create_task(one_seat(callers, seconds)) for _ in range(visit.seats)]
    leaving = asyncio.gather(*seats)
    while not leaving.done():
        await asyncio.wait(seats, timeout=look_every_s)
        if not leaving.done():
            looks.append(Look(time.perf_counter() - callers.started_s, await asyncio.to_thread(look)))
    await leaving
    await asyncio.sleep(settle_s)
    looks.append(Look(time.perf_counter() - callers.started_s, await asyncio.to_thread(look)))
    return callers.diary, looks


def figures_of(diary: Diary, looks: Sequence[Look]) -> Figures:
    """The figures of a soak."""
    before, after = looks[0].held, looks[-1].held
    end_s = looks[-1].moment_s
    warm = [one for one in looks[:-1] if one.moment_s >= WARM_SHARE * end_s] or list(looks)
    figures = {
        "minutes": end_s / 60,
        "errors": float(diary.errors.total()),
        "missed_frames": float(diary.missed),
        "dropped_frames": float(diary.dropped),
        "leaked_streams": float(after.streams - before.streams),
        "leaked_rows": float(after.rows - before.rows),
        "leaked_tasks": float(after.tasks - before.tasks),
        "leaked_files": float(after.files - before.files),
        "leaked_threads": float(after.threads - before.threads),
        "memory_mb": after.memory_mb,
        "memory_growth_mb": after.memory_mb - warm[0].held.memory_mb,
        "memory_drift_mb_per_hour": slope([one.moment_s / 3600 for one in warm], [one.held.memory_mb for one in warm]),
    }
    figures |= {f"calls_{kind}": float(diary.calls[kind]) for kind in SHARES}
    quarters = {
        "first": [late for moment, late in diary.latencies if moment < end_s / 4],
        "last": [late for moment, late in diary.latencies if moment >= 3 * end_s / 4],
    }
    for name, late_s in quarters.items():
        if late_s:
            figures |= {
                f"added_{key.removesuffix('_ms')}_{name}_ms": one for key, one in percentiles_ms(late_s).items()
            }
    return figures


def slope(places: Sequence[float], values: Sequence[float]) -> float:
    """Of the straight line through `values` at `places`; 0 for a single one."""
    return float(np.polyfit(places, values, 1)[0]) if len(places) > 1 else 0.0
