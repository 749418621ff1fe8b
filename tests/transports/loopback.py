"""A real server on a free port of this machine, with an engine of chosen speed and faults."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np

from facestream.client.call import Call
from facestream.curves import INDEX
from facestream.engines.synthetic import FULL_OPEN_RAD, SyntheticEngine
from facestream.errors import FacestreamError
from facestream.motion.live import LiveMotion
from facestream.serving.animator import Animator, Places
from facestream.serving.pipeline import Pipeline
from facestream.settings import Settings
from facestream.transports.server import Server
from facestream.types import EXPRESSION_COUNT, Float32
from facestream.v1.animation_service_pb2 import AnimateClipRequest, AnimateRequest
from facestream.v1.animation_service_pb2_grpc import AnimationServiceStub
from facestream.v1.audio_pb2 import AudioChunk, AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import SlowReaderPolicy, StreamConfig

RATE_HZ = 16000


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that comes by itself; pytest's timeout ends a test for which it never does."""
    while not condition():
        await asyncio.sleep(0.002)


class JawSolver:
    """Retargets nothing but the jaw: the transports do not care what the weights mean."""

    def solve_in_turn(self, motion: Float32, previous: Float32, counts: Places) -> Float32:
        del counts
        weights = np.zeros((*motion.shape[:2], previous.shape[1]), np.float32)
        weights[:, :, INDEX["jawOpen"]] = np.clip(motion[:, :, EXPRESSION_COUNT] / FULL_OPEN_RAD, 0, 1)
        return weights


def synthetic_pipeline(**options: Any) -> Pipeline:
    return Pipeline(Animator(LiveMotion(SyntheticEngine(lookahead_samples=960, **options)), JawSolver()))


def settings(**fields: Any) -> Settings:
    return Settings(**{"port": 0, "drain_grace_s": 1.0, **fields})


@dataclass(frozen=True)
class Loopback:
    server: Server
    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        return AnimationServiceStub(self.channel)

    @property
    def open_rows(self) -> int:
        return sum(pipeline.open_count for pipeline in self.server.host.pipelines)


@contextlib.asynccontextmanager
async def loopback(
    pipeline: Callable[[], Pipeline] = synthetic_pipeline,
    *,
    channel_options: tuple[tuple[str, int], ...] = (),
    now: Callable[[], float] = time.monotonic,
    **fields: Any,
) -> AsyncIterator[Loopback]:
    async with (
        Server(settings(**fields), load=lambda: [pipeline()], now=now) as server,
        grpc.aio.insecure_channel(server.address, options=channel_options) as channel,
    ):
        yield Loopback(server, channel)


def speech(seconds: float, seed: int = 0) -> Float32:
    """Noise that swells and fades: something to open the jaw by."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).standard_normal(times.size)
    return (0.1 * noise * (1 - np.cos(2 * np.pi * 3 * times)) / 2).astype(np.float32)


def config_message(**fields: Any) -> StreamConfig:
    audio_format = AudioFormat(encoding=AudioEncoding.AUDIO_ENCODING_F32LE, sample_rate_hz=RATE_HZ, channel_count=1)
    return StreamConfig(**{"audio_format": audio_format, "seed": 1, **fields})


def config(**fields: Any) -> AnimateRequest:
    """Of a stream that loses no frame, however busy the machine makes its reader."""
    return AnimateRequest(
        config=config_message(**{"slow_reader_policy": SlowReaderPolicy.SLOW_READER_POLICY_WAIT, **fields})
    )


def audio(pcm: Float32 | bytes, first_sample: int | None = None) -> AnimateRequest:
    data = pcm if isinstance(pcm, bytes) else pcm.astype("<f4").tobytes()
    return AnimateRequest(audio=AudioChunk(data=data, first_sample=first_sample))


def clip_audio(pcm: Float32) -> AnimateClipRequest:
    return AnimateClipRequest(audio=AudioChunk(data=pcm.astype("<f4").tobytes()))


async def converse(call: Any, *requests: Any) -> list[Any]:
    """Send everything and half-close, while reading to the end; a call that is refused says why at its end."""

    async def send(conversation: Call[Any, Any]) -> None:
        with contextlib.suppress(FacestreamError):
            for request in requests:
                await conversation.write(request)
            await conversation.half_close()

    conversation: Call[Any, Any] = Call(call, "the server under test")
    answers = []
    sending = asyncio.create_task(send(conversation))
    try:
        while (answer := await conversation.read()) is not None:
            answers.append(answer)
    except FacestreamError:
        assert conversation.end is not None
        raise conversation.end from None
    finally:
        await sending
    return answers
