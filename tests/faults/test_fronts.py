"""`facestream serve --front-processes 2`: several processes on one port, as one server to those who call it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
import numpy as np
import psutil
import pytest

from facestream.client import AsyncClient
from facestream.errors import EngineError, InvalidValue
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.settings import Settings
from facestream.transports.fronts import serve_with_fronts
from facestream.transports.ports import CAN_BE_SHARED
from facestream.types import Float32
from facestream.v1.animation_service_pb2_grpc import AnimationServiceStub
from tests.transports.loopback import audio, config, converse, speech, until

pytestmark = pytest.mark.skipif(not CAN_BE_SHARED, reason="ports are not shared on this system")

FRONT, ENGINE = "facestream.transports.front", "facestream.serving.engine_host"


@dataclass(frozen=True)
class Tree:
    """A running server: the process that was started, and where it listens."""

    process: subprocess.Popen[str]
    address: str

    def children(self, module: str) -> list[psutil.Process]:
        """Its processes that run so, the oldest first."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if module in child.cmdline():
                    found.append(child)
        return sorted(found, key=lambda one: one.create_time())

    def sockets(self, front: psutil.Process, status: str) -> list[Any]:
        """Those on the server's port."""
        port = int(self.address.rpartition(":")[2])
        return [one for one in front.net_connections("tcp") if one.laddr.port == port and one.status == status]

    def callers(self, front: psutil.Process) -> set[int]:
        """The ports of those who have been given to a front."""
        return {one.raddr.port for one in self.sockets(front, "ESTABLISHED")}


@contextlib.contextmanager
def serving(*words: str, **variables: str) -> Iterator[Tree]:
    command = [sys.executable, "-W", "error", "-m", "facestream.cli.main", "serve", "--port", "0", "--print-address"]
    process = subprocess.Popen(
        [*command, "--front-processes", "2", *words], stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
    )
    assert process.stdout is not None
    try:
        yield Tree(process, process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    with serving("--max-streams", "24") as found:
        yield found


@contextlib.asynccontextmanager
async def callers(tree: Tree, count: int = 2) -> AsyncIterator[tuple[list[grpc.aio.Channel], list[int]]]:
    """Channels with connections of their own, until each front has at least `count` of them; and how many each has."""
    fronts = tree.children(FRONT)
    assert len(fronts) == 2
    await until(lambda: all(tree.sockets(front, "LISTEN") for front in fronts))
    before = [tree.callers(front) for front in fronts]  # channels of the test before may still be closing

    def given() -> list[int]:
        return [len(tree.callers(front) - known) for front, known in zip(fronts, before, strict=True)]

    channels: list[grpc.aio.Channel] = []
    try:
        while min(given()) < count:
            channel = grpc.aio.insecure_channel(tree.address, options=[("grpc.use_local_subchannel_pool", 1)])
            channels.append(channel)
            await channel.channel_ready()
            assert len(channels) < 60, "nobody is given to one of them"
        yield channels, given()
    finally:
        for channel in channels:
            await channel.close()


def weights_of(answers: Sequence[Any]) -> Float32:
    runs = [answer.frames for answer in answers if answer.HasField("frames")]
    return np.concatenate([np.array(run.weights, np.float32) for run in runs])


async def answered(channel: grpc.aio.Channel) -> list[Any]:
    """What a word is answered with, by a front that may still be warming up."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await converse(AnimationServiceStub(channel).Animate(), config(), audio(speech(0.2)))
            except grpc.aio.AioRpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE
                await asyncio.sleep(0.05)


def expected(pcm: Float32) -> Float32:
    """What a server of one process gives."""
    pipeline = open_pipeline("live")
    stream = pipeline.open(StreamOptions(seed=1))
    stream.push(pcm)
    stream.finish()
    made = []
    while not stream.is_done:
        (outcome,) = pipeline.advance([stream])
        assert not isinstance(outcome, EngineError)
        made.append(outcome.weights.ravel())
    return np.concatenate(made)


@pytest.mark.asyncio
async def test_streams_of_all_fronts_have_the_frames_that_one_process_gives(tree: Tree) -> None:
    pcm = [speech(1.0, seed=number) for number in range(3)]
    known = [expected(one) for one in pcm]
    async with callers(tree) as (channels, _):
        calls = [
            converse(AnimationServiceStub(channel).Animate(), config(), audio(pcm[number % 3]))
            for number, channel in enumerate(channels)
        ]
        for number, answers in enumerate(await asyncio.gather(*calls)):
            np.testing.assert_allclose(weights_of(answers), known[number % 3], atol=1e-5)
    assert not np.allclose(known[0], known[1], atol=0.01)


@pytest.mark.asyncio
async def test_the_limit_of_streams_is_that_of_all_fronts(tree: Tree) -> None:
    async with callers(tree) as (channels, _):
        stubs = [AnimationServiceStub(channel) for channel in channels]
        calls = [stubs[number % len(stubs)].Animate() for number in range(24)]
        for call in calls:
            await call.write(config())
            assert (await anext(aiter(call))).HasField("started")
        for stub in stubs:
            call = stub.Animate()
            await call.write(config())
            with pytest.raises(grpc.aio.AioRpcError, match="all 24 places for live streams are taken"):
                await anext(aiter(call))
        for call in calls:
            call.cancel()
        answers = await converse(stubs[0].Animate(), config(), audio(speech(0.2)))
        assert weights_of(answers).size


@pytest.mark.asyncio
async def test_a_front_that_dies_takes_its_own_streams_only_and_is_replaced(tree: Tree) -> None:
    async with callers(tree, count=3) as (channels, (lost_count, _)):
        first, _ = tree.children(FRONT)
        calls = [AnimationServiceStub(channel).Animate() for channel in channels]
        for call in calls:
            await call.write(config())
            await call.write(audio(speech(0.4)))
            assert (await anext(aiter(call))).HasField("started")
        first.kill()

        async def rest(call: Any) -> Float32 | None:
            try:
                await call.write(audio(speech(0.4, seed=1)))
                await call.done_writing()
                return weights_of([answer async for answer in call])
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return None

        found = await asyncio.gather(*map(rest, calls))
        whole = expected(np.concatenate([speech(0.4), speech(0.4, seed=1)]))
        going_on = [weights for weights in found if weights is not None]
        assert len(found) - len(going_on) == lost_count
        for weights in going_on:
            np.testing.assert_allclose(weights, whole, atol=1e-5)
    await until(lambda: len(tree.children(FRONT)) == 2)
    async with callers(tree, count=1) as (channels, _):  # the new one gets callers, and works
        for channel in channels:
            assert weights_of(await answered(channel)).size


async def goes_on_after(client: AsyncClient, harm: Any) -> int:
    """Frames of a stream to which harm is done midway; none is lost, and none comes twice."""
    async with client.animate(seed=1) as stream:
        reading = aiter(stream)
        await stream.send(speech(1.0))
        runs = [await anext(reading)]
        await harm()
        await stream.send(speech(1.0, seed=1))
        await stream.finish()
        runs += [frames async for frames in reading]
        assert stream.resume_count
    position = 0
    for run in runs:
        assert run.first_index == position
        position = run.end_index
    return position


@pytest.mark.asyncio
@pytest.mark.parametrize("module", [FRONT, ENGINE])
async def test_a_client_goes_on_when_what_it_was_served_by_dies(tree: Tree, module: str) -> None:
    async def harm() -> None:
        victims = tree.children(module)
        if module == FRONT:
            victims = [front for front in victims if tree.callers(front)]
        for victim in victims:
            victim.kill()
        await until(lambda: not {*victims} & {*tree.children(module)})

    async with AsyncClient(tree.address) as client:
        assert await goes_on_after(client, harm) == 69
    await until(lambda: len(tree.children(FRONT)) == 2)
    assert len(tree.children(ENGINE)) == 1


@pytest.mark.asyncio
async def test_an_engine_that_hangs_is_replaced_for_all(tree: Tree) -> None:
    (engine,) = tree.children(ENGINE)

    async def harm() -> None:
        engine.suspend()

    async with AsyncClient(tree.address) as client:
        assert await goes_on_after(client, harm) == 69
    assert engine not in tree.children(ENGINE)
    assert len(tree.children(ENGINE)) == 1
    async with callers(tree, count=1) as (channels, _):
        for channel in channels:
            assert weights_of(await answered(channel)).size


@pytest.mark.asyncio
async def test_sigterm_lets_streams_of_all_fronts_finish_and_leaves_nobody_behind() -> None:
    with serving() as tree:
        everybody = psutil.Process(tree.process.pid).children(recursive=True)
        async with callers(tree, count=1) as (channels, _):
            calls = [AnimationServiceStub(channel).Animate() for channel in channels]
            for call in calls:
                await call.write(config())
                await call.write(audio(speech(0.4)))
                assert (await anext(aiter(call))).HasField("started")
            tree.process.send_signal(signal.SIGTERM)
            for call in calls:
                answers = aiter(call)
                while not (answer := await anext(answers)).HasField("event"):
                    pass
                assert answer.event.HasField("going_away")
                await call.write(audio(speech(0.4, seed=1)))
                await call.done_writing()
                assert [answer async for answer in answers][-1].frames.weights
        assert await asyncio.to_thread(partial(tree.process.wait, 20)) == 0
        _, alive = psutil.wait_procs(everybody, timeout=10)
        assert not alive


@pytest.mark.slow
@pytest.mark.asyncio
async def test_a_second_signal_cuts_the_grace_time_short() -> None:
    with serving(FACESTREAM_DRAIN_GRACE_S="3600") as tree:
        async with callers(tree, count=1) as (channels, _):
            answers = []
            for channel in channels:
                call = AnimationServiceStub(channel).Animate()
                await call.write(config())
                answers.append(aiter(call))
                assert (await anext(answers[-1])).HasField("started")
            tree.process.send_signal(signal.SIGTERM)
            for one in answers:  # told of the end, and not ended: there is an hour
                assert (await anext(one)).event.HasField("going_away")
            tree.process.send_signal(signal.SIGINT)
            for one in answers:
                with pytest.raises(grpc.aio.AioRpcError):
                    await anext(one)
        assert await asyncio.to_thread(partial(tree.process.wait, 30)) == 0


def test_systems_that_do_not_share_ports_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facestream.transports.fronts.CAN_BE_SHARED", False)
    with pytest.raises(InvalidValue, match="front_processes: got 2; allowed: 1; on Linux only"):
        serve_with_fronts(Settings(front_processes=2), on_ready=lambda addresses: None)


def test_nobody_is_left_behind_a_server_that_was_killed() -> None:
    with serving() as tree:
        everybody = psutil.Process(tree.process.pid).children(recursive=True)
        assert len(everybody) == 3
        tree.process.kill()
        _, alive = psutil.wait_procs(everybody, timeout=20)
        assert not alive


def test_two_servers_do_not_share_a_port(tree: Tree) -> None:
    command = [sys.executable, "-m", "facestream.cli.main", "serve", "--port", tree.address.rpartition(":")[2]]
    for fronts in ("1", "2"):
        ended = subprocess.run([*command, "--front-processes", fronts], capture_output=True, text=True, timeout=60)
        assert ended.returncode == 2
        assert "another server running" in ended.stderr
        assert len(ended.stderr.splitlines()) == 1, ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ace-model", "nobody"], "ace_model: got 'nobody'"),
        (["--precision", "fp16"], "precision: got fp16"),
        (["--also", "no-such-model"], "no model named 'no-such-model'"),
    ],
)
def test_what_is_wrong_at_the_start_is_one_line(words: list[str], message: str) -> None:
    command = [sys.executable, "-m", "facestream.cli.main", "serve", "--port", "0", "--front-processes", "2"]
    engine = [] if "--precision" not in words else ["--engine", "onnx"]
    ended = subprocess.run(
        [*command, "--log-level", "error", *engine, *words], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
