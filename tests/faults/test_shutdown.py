"""SIGTERM: health turns, nobody comes in, streams finish or are told, exit code 0."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facestream.v1.animation_service_pb2_grpc import AnimationServiceStub
from tests.transports.loopback import audio, config, converse, speech

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import asyncio, sys
from facestream.telemetry.logs import configure_logs
from facestream.transports.server import serve
from tests.transports.loopback import settings, synthetic_pipeline
configure_logs("json", "info")
grace_s = float(sys.argv[1])
ready = lambda server: print(server.address, flush=True)
asyncio.run(serve(settings(drain_grace_s=grace_s), load=lambda: [synthetic_pipeline()], on_ready=ready))
"""


@contextlib.asynccontextmanager
async def process(grace_s: float) -> AsyncIterator[tuple[asyncio.subprocess.Process, grpc.aio.Channel]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sdk_server")])}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", SCRIPT, str(grace_s),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert server.stdout is not None
    address = (await server.stdout.readline()).decode().strip()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield server, channel
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


@pytest.mark.asyncio
async def test_sigterm_lets_streams_finish_and_tells_them() -> None:
    async with process(grace_s=20) as (server, channel):
        stub = AnimationServiceStub(channel)
        call = stub.Animate()
        await call.write(config())
        answers = aiter(call)
        assert (await anext(answers)).HasField("started")
        await call.write(audio(speech(0.5)))

        server.send_signal(signal.SIGTERM)
        answer = await anext(answers)
        while not answer.event.HasField("going_away"):
            answer = await anext(answers)
        assert answer.event.going_away.time_left.ToMilliseconds() == 20_000

        check = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert check.status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await converse(stub.Animate(), config())
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "draining" in (refused.value.details() or "")

        # the stream that was there goes on to its own end
        await call.write(audio(speech(0.5)))
        await call.done_writing()
        frames = sum([answer.frames.frame_count async for answer in answers])
        assert frames > 15
        assert await call.code() == grpc.StatusCode.OK
        assert await server.wait() == 0
        _, errors = await server.communicate()
        assert b"Traceback" not in errors


@pytest.mark.asyncio
async def test_sigterm_closes_what_does_not_finish_within_the_grace_time() -> None:
    async with process(grace_s=0.2) as (server, channel):
        calls = [AnimationServiceStub(channel).Animate() for _ in range(3)]
        for call in calls:
            await call.write(config())
            await anext(aiter(call))
        await calls[0].write(audio(np.zeros(4000, np.float32)))
        server.send_signal(signal.SIGTERM)
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                async for _ in call:
                    pass
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            assert "shuts down" in (caught.value.details() or "")
        assert await server.wait() == 0
        _, errors = await server.communicate()
        assert b"Traceback" not in errors
