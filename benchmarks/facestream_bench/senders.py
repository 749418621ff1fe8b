"""How evenly faces leave: live streams that a server sends on over Live Link UDP, on this machine.

    facestream-bench senders

Writes `benchmarks/results/senders.json`. A server in a process of its own, one live stream a subject, each with its own
target. `jitter_*` is how far the time between two packets of a subject is from one frame's, by the kernel's time of
arrival where there is one. `as_they_come.*` is the same of the frames as their clients receive them: what an engine
would see without a paced sender. `alone.*` is the paced sender without a server beside it, fed in runs of 40 ms.
`held_share` is the share of faces that were held because their frame was not there yet.
"""

import argparse
import asyncio
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from facestream.client import AsyncClient, StreamOptions, at_live_pace
from facestream.curves import CURVE_COUNT
from facestream.timebase import FrameRate
from facestream.transports.senders.pacer import Pacer
from facestream.transports.senders.target import parse_target
from facestream.types import Float32, Frames
from facestream_bench.command import add_output, publish
from facestream_bench.server_process import ServerProcess, running_server
from facestream_bench.speech import RATE_HZ, speech_of

SETTLED_S = 1.0
"""Of each stream's beginning that does not count: connections open, the first step is computed."""

_SUBJECT_AT = 41
_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)  # Linux; Python has no name for it
_CHUNK_S = 0.04

Times = npt.NDArray[np.float64]
Figures = dict[str, float]


class Listener:
    """Receives Live Link packets in a thread and notes when each subject's came. Use it with `with`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        with suppress(OSError):  # on another system the time at which this thread reads is what there is
            self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self._socket.settimeout(0.1)
        self.port = int(self._socket.getsockname()[1])
        self._arrivals: dict[str, list[float]] = {}
        self._is_over = False
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over = True
        self._thread.join()
        self._socket.close()

    def arrivals(self) -> dict[str, Times]:
        """Seconds, by subject."""
        return {subject: np.array(times) for subject, times in self._arrivals.items()}

    def _listen(self) -> None:
        while not self._is_over:
            try:
                packet, told, _, _ = self._socket.recvmsg(1024, 64)
            except TimeoutError:
                continue
            arrived_s = time.time()
            for level, kind, data in told:
                if level == socket.SOL_SOCKET and kind == _TIMESTAMPS:
                    seconds, nanoseconds = struct.unpack("@qq", data[:16])
                    arrived_s = seconds + nanoseconds * 1e-9
            (length,) = struct.unpack_from(">i", packet, _SUBJECT_AT)
            subject = packet[_SUBJECT_AT + 4 : _SUBJECT_AT + 4 + length].decode()
            self._arrivals.setdefault(subject, []).append(arrived_s)


def pace_of(arrivals: Sequence[Times], period_s: float) -> Figures:
    """How far times between packets are from a period, ms; the first second of each subject is left out."""
    steps = np.concatenate([np.diff(times[times > times[0] + SETTLED_S]) for times in arrivals])
    off_ms = 1000 * np.abs(steps - period_s)
    return {
        "jitter_p50_ms": float(np.percentile(off_ms, 50)),
        "jitter_p99_ms": float(np.percentile(off_ms, 99)),
        "jitter_max_ms": float(off_ms.max()),
        "packets": float(sum(map(len, arrivals))),
    }


def measure(server: ServerProcess, subjects: int, rate: FrameRate, pcm: Float32) -> Figures:
    """Live streams of `pcm` through a server, which sends each one on as a subject of its own."""
    period_s = rate.denominator / rate.numerator
    with Listener() as listener:
        began = server.processor_s()
        received, frames = asyncio.run(_speak(server.address, subjects, rate, pcm, listener.port))
        time.sleep(0.5)  # the last faces are on their way
        used_s = server.processor_s() - began
    arrivals = list(listener.arrivals().values())
    figures = pace_of(arrivals, period_s)
    figures |= {f"as_they_come.{key}": value for key, value in pace_of(received, period_s).items()}
    figures["server_cores"] = used_s / (len(pcm) / RATE_HZ)
    figures["held_share"] = max(0.0, figures["packets"] / frames - 1.0)
    return figures


def measure_alone(subjects: int, rate: FrameRate, seconds: float) -> Figures:
    """The paced sender by itself, in this process, fed in runs of 40 ms as a server's engine would."""
    random = np.random.default_rng(0)
    pacer = Pacer()
    fraction = float(rate.fraction)
    with Listener() as listener:
        target = f"livelink://127.0.0.1:{listener.port}?subject="
        outlets = [pacer.open(parse_target(f"{target}S{one}"), rate) for one in range(subjects)]
        started, made = time.monotonic(), 0
        for run in range(1, round(seconds / _CHUNK_S) + 1):
            end = int(run * _CHUNK_S * fraction)
            weights = random.random((end - made, CURVE_COUNT)).astype(np.float32)
            time.sleep(max(0.0, started + run * _CHUNK_S - time.monotonic()))
            for outlet in outlets:
                outlet.add(Frames(made, weights))
            made = end
        for outlet in outlets:
            outlet.finish()
        for outlet in outlets:
            outlet.over.wait(5)
        pacer.close()
        time.sleep(0.2)
    return pace_of(list(listener.arrivals().values()), 1 / fraction)


async def _speak(address: str, subjects: int, rate: FrameRate, pcm: Float32, port: int) -> tuple[list[Times], int]:
    """When each subject's client received each of its frames, and how many these were in all."""
    async with AsyncClient(address) as client:
        times = await asyncio.gather(
            *(_stream(client, rate, pcm, f"livelink://:{port}?subject=S{one}", one) for one in range(subjects))
        )
    return list(times), sum(map(len, times))


async def _stream(client: AsyncClient, rate: FrameRate, pcm: Float32, target: str, index: int) -> Times:
    arrived: list[float] = []
    options = StreamOptions(sample_rate_hz=RATE_HZ, frame_rate=rate, seed=index, send_to=(target,))
    await asyncio.sleep(0.013 * index)  # speakers do not begin at one moment
    async with client.animate(options) as stream:

        async def speak() -> None:
            async for chunk in at_live_pace(np.roll(pcm, 1000 * index), RATE_HZ):
                await stream.send(chunk)
            await stream.finish()

        speaking = asyncio.create_task(speak())
        async for frames in stream:
            arrived += [time.time()] * frames.count
        await speaking
    return np.array(arrived)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench senders", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=8)
    parser.add_argument("--frame-rate", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20, help="of live speech")
    add_output(parser)
    arguments = parser.parse_args(words)
    rate, pcm = FrameRate(arguments.frame_rate), speech_of(arguments.seconds)
    # on a busy machine a step may take long; what is measured is the pace, not the patience of the watchdog
    with running_server("live", arguments.subjects, stuck_after_s=20.0) as server:
        figures = measure(server, arguments.subjects, rate, pcm)
    alone = measure_alone(arguments.subjects, rate, min(arguments.seconds, 10.0))
    figures |= {f"alone.{key}": value for key, value in alone.items()}
    notes = ["jitter: time between two packets of a subject against one frame's, by the kernel's time of arrival"]
    publish("senders", {f"senders.{key}": value for key, value in figures.items()}, parser, arguments, notes)


if __name__ == "__main__":
    main()
