"""An engine that fails, poisons a row, or hangs."""

import asyncio
import threading
from collections.abc import Callable

import grpc
import numpy as np
import pytest

from facestream.client import AsyncClient
from facestream.engines.synthetic import Faults
from facestream.errors import EngineError
from facestream.serving.host import HostState
from facestream.serving.pipeline import Pipeline
from facestream.v1.animation_service_pb2 import AnimateClipRequest
from tests.transports.loopback import (
    audio,
    clip_audio,
    config,
    config_message,
    converse,
    loopback,
    speech,
    synthetic_pipeline,
    until,
)

SPEECH = speech(0.4)


def poisoned() -> Pipeline:
    return synthetic_pipeline(faults=Faults(poison_level=0.99))


@pytest.mark.asyncio
async def test_a_row_that_fails_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    bad = SPEECH.copy()
    bad[3000] = 1.0
    async with loopback(poisoned) as server:
        alone = await converse(server.stub.Animate(), config(), audio(SPEECH))
        good = [converse(server.stub.Animate(), config(), audio(SPEECH)) for _ in range(6)]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            results = asyncio.gather(*good)
            await converse(server.stub.Animate(), config(), audio(bad))
        for answers in await results:
            for here, there in zip(_weights(answers), _weights(alone), strict=True):
                np.testing.assert_allclose(here, there, atol=1e-5)
        await until(lambda: server.open_rows == 0)
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    stream_id = (caught.value.details() or "").rsplit(" ", 1)[-1]
    (record,) = [record for record in caplog.records if record.message == "engine failed for a stream"]
    assert vars(record)["stream"] == stream_id, "the status names the line of the log"
    assert "finite" not in (caught.value.details() or ""), "and tells nothing of the inside"


def _weights(answers: list[object]) -> list[np.ndarray]:  # type: ignore[type-arg]
    runs = [answer.frames for answer in answers if answer.HasField("frames")]  # type: ignore[attr-defined]
    return [np.concatenate([np.array(run.weights) for run in runs])]


@pytest.mark.asyncio
async def test_a_step_that_fails_loses_that_step_and_the_next_ones_work() -> None:
    async with loopback(lambda: synthetic_pipeline(faults=Faults(failing_steps={0}))) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await converse(server.stub.Animate(), config(), audio(SPEECH))
        assert caught.value.code() == grpc.StatusCode.INTERNAL
        assert await converse(server.stub.Animate(), config(), audio(SPEECH))


class Hanging:
    """The first pipeline hangs in its third step until released; the next ones are well."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.loads = 0

    def load(self) -> Pipeline:
        self.loads += 1
        return synthetic_pipeline(step_s=1e-9, sleep=self._sleep() if self.loads == 1 else lambda _: None)

    def _sleep(self) -> Callable[[float], None]:
        steps = iter(range(1_000_000))
        return lambda _: self.may_go_on.wait(20) and None if next(steps) == 2 else None


@pytest.mark.asyncio
async def test_an_engine_that_hangs_is_noticed_and_replaced_and_a_client_resumes() -> None:
    engine = Hanging()
    states = []
    async with loopback(engine.load, stuck_after_s=0.3) as server:
        note = server.server.host.on_state
        server.server.host.on_state = lambda state: (states.append(state), note(state))[1]
        async with AsyncClient(server.server.address) as client, client.animate(seed=1) as stream:
            for piece in np.split(speech(2.0), 20):
                await stream.send(piece)
            await stream.finish()
            runs = [frames async for frames in stream]
        assert engine.loads == 2
        assert states == [HostState.WARMING_UP, HostState.SERVING]
        position = 0
        for run in runs:
            assert run.first_index == position, "no frame lost, none twice"
            position = run.end_index
        assert position == 69
        engine.may_go_on.set()
        # without resume the same is one clear error
    engine = Hanging()
    async with loopback(engine.load, stuck_after_s=0.3) as server:
        async with AsyncClient(server.server.address) as client, client.animate(seed=1, resume=False) as stream:
            for piece in np.split(speech(1.0), 10):
                await stream.send(piece)
            with pytest.raises(EngineError, match="hung"):
                async for _ in stream:
                    pass
        engine.may_go_on.set()


@pytest.mark.asyncio
async def test_clips_beside_live_streams_get_through_and_the_live_stream_does_too() -> None:
    clip = [AnimateClipRequest(config=config_message()), *map(clip_audio, np.split(speech(20.0), 40))]
    async with loopback(lambda: synthetic_pipeline(step_s=0.0002)) as server:
        long = asyncio.create_task(converse(server.stub.AnimateClip(), *clip))
        call = server.stub.Animate()
        await call.write(config())
        answers = aiter(call)
        await anext(answers)
        for piece in np.split(SPEECH, 10):
            await call.write(audio(piece))
            await asyncio.sleep(0.005)
        await call.done_writing()
        live = sum([answer.frames.frame_count async for answer in answers])
        assert live == 21
        assert sum(answer.frames.frame_count for answer in await long) == 609
