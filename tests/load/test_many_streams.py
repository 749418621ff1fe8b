"""Many live speakers on one server. Run with `pytest -m load`; nothing here asserts a time."""

import asyncio

import numpy as np
import pytest

from facestream.client import AsyncClient, StreamOptions, at_live_pace
from facestream.types import Float32
from tests.transports.loopback import RATE_HZ, loopback, speech, synthetic_pipeline


async def speak(client: AsyncClient, pcm: Float32, delay_s: float, chunk_ms: int) -> Float32:
    await asyncio.sleep(delay_s)
    weights, position = [], 0
    async with client.animate(StreamOptions(encoding="f32", seed=1), resume=False) as stream:

        async def send() -> None:
            async for chunk in at_live_pace(pcm, RATE_HZ, chunk_ms=chunk_ms):
                await stream.send(chunk)
            await stream.finish()

        sending = asyncio.create_task(send())
        async for frames in stream:
            assert frames.first_index == position
            position = frames.end_index
            weights.append(frames.weights)
        await sending
    return np.concatenate(weights)


@pytest.mark.load
@pytest.mark.asyncio
async def test_64_speakers_get_every_frame_each_their_own() -> None:
    voices = [speech(8.0, seed=seed) for seed in range(4)]
    async with loopback(max_streams=64) as server, AsyncClient(server.server.address) as client:
        alone = await asyncio.gather(*(client.animate_clip(voice, encoding="f32", seed=1) for voice in voices))
        crowd = [speak(client, voices[number % 4], number / 64, (20, 40, 100)[number % 3]) for number in range(64)]
        for number, weights in enumerate(await asyncio.gather(*crowd)):
            np.testing.assert_allclose(weights, alone[number % 4].frames.weights, atol=1e-5)
        scheduler = server.server.host.engine_threads[0]
        assert scheduler.counts.rows > 2 * scheduler.counts.steps, "streams share their steps"
        assert server.open_rows == 0


@pytest.mark.load
@pytest.mark.asyncio
async def test_a_full_server_refuses_the_next_and_those_inside_go_on() -> None:
    async with (
        loopback(lambda: synthetic_pipeline(step_s=0.001), max_streams=32) as server,
        AsyncClient(server.server.address) as client,
    ):
        inside = [asyncio.create_task(speak(client, speech(4.0), 0.0, 40)) for _ in range(32)]
        while server.server.host.admission.live_count < 32:
            await asyncio.sleep(0.01)
        refused = [asyncio.create_task(speak(client, speech(1.0), 0.0, 40)) for _ in range(100)]
        outcomes = await asyncio.gather(*refused, return_exceptions=True)
        assert {type(outcome).__name__ for outcome in outcomes} == {"Busy"}
        assert len({len(weights) for weights in await asyncio.gather(*inside)}) == 1
