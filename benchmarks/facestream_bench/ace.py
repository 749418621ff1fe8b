"""NVIDIA's interface as its clients use it: how soon frames come, whether they are exact, and sixteen calls at once.

    facestream-bench ace

Writes `benchmarks/results/ace.json`. `first_frame_*` is from the writing of the first second of audio, in one message
as the sample client writes it, to the first animation message; `header_*` to the first message of all. `live_N.lag_*`
is of N calls that are fed at real time in chunks of 560 samples (35 ms), as the Unreal plugin feeds: from the moment a
frame's own sample was spoken to the frame's arrival, the speaking of the rest of its chunk included; `*_cores` is the
processor time that a second of them took. `wrong_*` are counted over all calls of the run and must be 0: frames too
many or too few, time codes, samples of the echo, ends. `nvidia_*` are the two numbers of NVIDIA's performance script,
made from this interface as the script makes them.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np
import numpy.typing as npt

from facestream.nvidia_ace.a2f.v1.a2f_pb2 import AudioWithEmotion
from facestream.nvidia_ace.audio.v1.audio_pb2 import AudioHeader
from facestream.nvidia_ace.controller.v1.controller_pb2 import AnimationDataStream, AudioStream, AudioStreamHeader
from facestream.nvidia_ace.services.a2f_controller.v1.a2f_controller_pb2_grpc import A2FControllerServiceStub
from facestream.nvidia_ace.status.v1.status_pb2 import Status
from facestream_bench.chosen_model import add_engine, add_model, settings_of
from facestream_bench.command import add_output, publish
from facestream_bench.nvidia_script import CLIPS, Request, figures_of
from facestream_bench.server_process import running_server
from facestream_bench.speech import RATE_HZ, speech_of

Int16 = npt.NDArray[np.int16]

FRAME_RATE = 30
CHUNK = 560
"""Samples a message of the Unreal plugin in real time."""


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench ace", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 16], help="live calls at once")
    parser.add_argument("--seconds", type=float, default=10, help="of live speech a call")
    parser.add_argument("--requests", type=int, default=10, help="of each of NVIDIA's six clips")
    add_model(parser)
    add_engine(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    # on a machine that others use, too, a step may wait for its turn for seconds; that is no engine that hangs
    patient = {"stuck_after_s": 30.0, **settings_of(arguments)}
    with running_server(arguments.model, max_streams=max(arguments.calls), **patient) as server:
        measuring = measure(server.address, arguments.calls, arguments.seconds, arguments.requests, server.processor_s)
        figures = asyncio.run(measuring)
    notes = [
        "first_frame: from the writing of the first second of audio, in one message, to the first animation message",
        "live lag: from the moment a frame's own sample was spoken to its arrival; 35 ms chunks at real time",
        "client and server on this machine, each in a process of its own",
    ]
    publish("ace", {f"ace.{key}": value for key, value in figures.items()}, parser, arguments, notes)


@dataclass
class Call(Request):
    """One call beside what it was given; `lags_s` of each frame where it was fed at real time."""

    samples: Int16 = field(default_factory=lambda: np.zeros(0, np.int16))
    rate_hz: int = RATE_HZ
    audio_s: float = 0.0
    """When its first audio was written."""
    arrivals_s: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    echo: bytearray = field(default_factory=bytearray)
    status: Status | None = None

    @property
    def wrong(self) -> dict[str, float]:
        """Frames, times and samples that are not as they must be; calls that did not end well."""
        expected = -(-self.samples.size * FRAME_RATE // self.rate_hz)
        echo = np.frombuffer(bytes(self.echo), np.int16)
        padded = np.zeros(expected * self.rate_hz // FRAME_RATE, np.int16)
        padded[: self.samples.size] = self.samples
        compared = min(echo.size, padded.size)
        return {
            "frames": abs(self.frames - expected),
            "times": sum(time_s != index / FRAME_RATE for index, time_s in enumerate(self.times_s)),
            "samples": int((echo[:compared] != padded[:compared]).sum()) + abs(echo.size - padded.size),
            "ends": float(self.status is None or self.status.code != Status.SUCCESS),
        }

    @property
    def lags_s(self) -> npt.NDArray[np.float64]:
        """Of each frame, from the moment its own sample was spoken."""
        spoken_s = self.audio_s + np.arange(self.frames) / FRAME_RATE
        return np.array(self.arrivals_s) - spoken_s


async def measure(
    address: str, call_counts: Sequence[int], seconds: float, request_count: int, processor_s: Callable[[], float]
) -> dict[str, float]:
    """Figures by name, without the `ace.` before them; `processor_s` is what the server has used so far."""
    figures: dict[str, float] = {}
    calls: list[Call] = []
    async with grpc.aio.insecure_channel(address) as channel:
        await ask(channel, pcm_of(1.0, RATE_HZ), RATE_HZ)  # the first call of a process is no one's latency
        by_clip = []
        for clip_s, rate_hz in CLIPS:
            samples = pcm_of(clip_s, rate_hz)
            by_clip.append([await ask(channel, samples, rate_hz) for _ in range(request_count)])
            calls += by_clip[-1]
        first = [1000 * (call.first_frame_s - call.audio_s) for clip in by_clip for call in clip]
        header = [1000 * (call.header_s - call.began_s) for clip in by_clip for call in clip]
        figures |= {
            "first_frame_p50_ms": float(np.median(first)),
            "first_frame_max_ms": max(first),
            "header_p50_ms": float(np.median(header)),
        }
        script = figures_of(by_clip)
        figures |= {key: value for key, value in script.items() if key.startswith("nvidia_")}
        for count in call_counts:
            used_s, own_s = processor_s(), time.process_time()
            together = await asyncio.gather(
                *(ask(channel, pcm_of(seconds, RATE_HZ, turn), RATE_HZ, live_after_s=turn / count * CHUNK / RATE_HZ)
                  for turn in range(count))
            )  # fmt: skip
            calls += together
            lags = 1000 * np.concatenate([call.lags_s for call in together])
            figures |= {
                f"live_{count}.lag_p50_ms": float(np.median(lags)),
                f"live_{count}.lag_p99_ms": float(np.percentile(lags, 99)),
                f"live_{count}.server_cores": (processor_s() - used_s) / seconds,
                f"live_{count}.client_cores": (time.process_time() - own_s) / seconds,
                f"live_{count}.first_frame_max_ms": 1000 * max(float(call.lags_s[0]) for call in together),
            }
    for key in ("frames", "times", "samples", "ends"):
        figures[f"wrong_{key}"] = sum(call.wrong[key] for call in calls)
    return figures | {"calls": len(calls)}


def pcm_of(seconds: float, rate_hz: int, turn: int = 0) -> Int16:
    """Speech `[T]`, another stretch of it for every turn."""
    return np.roll((32767 * speech_of(seconds, rate_hz)).astype(np.int16), turn * rate_hz // 3)


async def ask(channel: grpc.aio.Channel, samples: Int16, rate_hz: int, live_after_s: float | None = None) -> Call:
    """One call: a second a message and at once, as the sample client, or at real time in chunks, as Unreal."""
    stream = A2FControllerServiceStub(channel).ProcessAudioStream()
    if live_after_s is not None:
        await asyncio.sleep(live_after_s)
    call = Call(began_s=time.perf_counter(), samples=samples, rate_hz=rate_hz)

    async def write() -> None:
        audio = AudioHeader(channel_count=1, samples_per_second=rate_hz, bits_per_sample=16)
        await stream.write(AudioStream(audio_stream_header=AudioStreamHeader(audio_header=audio)))
        size = rate_hz if live_after_s is None else CHUNK
        call.audio_s = time.perf_counter()
        for begin in range(0, samples.size, size):
            if live_after_s is not None:
                spoken_s = call.audio_s + min(begin + size, samples.size) / rate_hz
                await asyncio.sleep(max(spoken_s - time.perf_counter(), 0.0))
            piece = samples[begin : begin + size].tobytes()
            await stream.write(AudioStream(audio_with_emotion=AudioWithEmotion(audio_buffer=piece)))
        await stream.write(AudioStream(end_of_audio=AudioStream.EndOfAudio()))

    writing = asyncio.create_task(write())
    async for answer in stream:
        _note(call, answer, time.perf_counter())
    call.ended_s = time.perf_counter()
    await writing
    return call


def _note(call: Call, answer: AnimationDataStream, now_s: float) -> None:
    call.header_s = call.header_s or now_s
    if answer.HasField("animation_data"):
        call.first_frame_s = call.first_frame_s or now_s
        call.arrivals_s.append(now_s)
        call.messages += 1
        call.frames += len(answer.animation_data.skel_animation.blend_shape_weights)
        call.times_s += [run.time_code for run in answer.animation_data.skel_animation.blend_shape_weights]
        call.echo += answer.animation_data.audio.audio_buffer
    elif answer.HasField("status"):
        call.status = answer.status


if __name__ == "__main__":
    main()
