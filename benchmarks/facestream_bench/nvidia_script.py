"""Whole clips, each sent at once: NVIDIA's own two numbers, made as its performance script makes them, beside ours.

The script (`nim_performance_test.py` of the Audio2Face-3D samples) asks for clips of 5, 10 and 20 s at 16 and 44.1 kHz
and calls *latency* the time from just before the first request is written to the first answer of any kind, which is the
header, and *fps* the answers after the header, and one more, per second from the header to the end of the stream. Of
each it reports the worst clip: the 99th percentile of latency, and its mean, and the 1st percentile of fps. A server
meets the first by answering early and the second by packing little into a message, so beside them stand the time to the
first frame and the frames per second, of the same calls.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import grpc
import numpy as np

from facestream.client import StreamOptions
from facestream.types import Float32
from facestream.v1.animation_service_pb2 import AnimateClipRequest
from facestream.v1.animation_service_pb2_grpc import AnimationServiceStub
from facestream.v1.audio_pb2 import AudioChunk
from facestream_bench.speech import speech_of

CLIPS = tuple((seconds, rate_hz) for seconds in (5, 10, 20) for rate_hz in (16_000, 44_100))


@dataclass
class Request:
    """One call. Times in seconds of one clock; `began_s` is just before its first message was written."""

    began_s: float
    header_s: float = 0.0
    first_frame_s: float = 0.0
    ended_s: float = 0.0
    messages: int = 0
    """Answers with frames."""
    frames: int = 0

    @property
    def header_ms(self) -> float:
        """NVIDIA's latency."""
        return 1000 * (self.header_s - self.began_s)

    @property
    def messages_per_s(self) -> float:
        """NVIDIA's fps."""
        return (1 + self.messages) / (self.ended_s - self.header_s)

    @property
    def first_frame_ms(self) -> float:
        return 1000 * (self.first_frame_s - self.began_s)

    @property
    def frames_per_s(self) -> float:
        """Frames a second of the whole call, its opening included."""
        return self.frames / (self.ended_s - self.began_s)


async def measure_script(address: str, request_count: int, options: StreamOptions) -> dict[str, float]:
    """Every clip `request_count` times, one call after the other."""
    by_clip = []
    async with grpc.aio.insecure_channel(address) as channel:
        await ask(channel, speech_of(1.0), options)  # the first call of a process is no one's latency
        for seconds, rate_hz in CLIPS:
            pcm = speech_of(seconds, rate_hz)
            asked = replace(options, sample_rate_hz=rate_hz)
            by_clip.append([await ask(channel, pcm, asked) for _ in range(request_count)])
    return figures_of(by_clip)


def figures_of(by_clip: Sequence[Sequence[Request]]) -> dict[str, float]:
    """The worst clip's percentiles, as the script reports them."""
    worst_latency = max(float(np.percentile([one.header_ms for one in clip], 99)) for clip in by_clip)
    worst_mean = max(float(np.mean([one.header_ms for one in clip])) for clip in by_clip)
    return {
        "nvidia_latency_p99_ms": worst_latency,
        "nvidia_latency_mean_ms": worst_mean,
        "nvidia_fps_p1": min(float(np.percentile([one.messages_per_s for one in clip], 1)) for clip in by_clip),
        "burst_first_frame_p99_ms": max(
            float(np.percentile([one.first_frame_ms for one in clip], 99)) for clip in by_clip
        ),
        "burst_frames_per_s_p1": min(float(np.percentile([one.frames_per_s for one in clip], 1)) for clip in by_clip),
        "burst_frames_per_message": float(
            np.mean([one.frames / max(one.messages, 1) for clip in by_clip for one in clip])
        ),
    }


async def ask(channel: grpc.aio.Channel, pcm: Float32, options: StreamOptions) -> Request:
    """One call with all of `pcm` [T] as fast as the server takes it."""
    call = AnimationServiceStub(channel).AnimateClip()
    pieces = np.array_split(pcm, range(options.sample_rate_hz, len(pcm), options.sample_rate_hz))

    async def write() -> None:
        await call.write(AnimateClipRequest(config=options.config(is_clip=True)))
        for piece in pieces:
            await call.write(AnimateClipRequest(audio=AudioChunk(data=options.encode(piece))))
        await call.done_writing()

    request = Request(began_s=time.perf_counter())
    writing = asyncio.create_task(write())
    async for answer in call:
        now_s = time.perf_counter()
        if answer.HasField("started"):
            request.header_s = now_s
        elif answer.HasField("frames"):
            request.first_frame_s = request.first_frame_s or now_s
            request.messages += 1
            request.frames += answer.frames.frame_count
    request.ended_s = time.perf_counter()
    await writing
    return request
