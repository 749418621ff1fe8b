"""A real server that sends a live stream's frames on, as its client asks for it."""

import asyncio

import numpy as np
import pytest
from pylivelinkface import FaceBlendShape, PyLiveLinkFace
from pythonosc.osc_bundle import OscBundle

from facestream.client import AsyncClient, at_live_pace
from facestream.errors import Forbidden, InvalidValue
from facestream.timebase import FrameRate
from facestream.types import Frames, joined_frames
from tests.transports.loopback import RATE_HZ, loopback, speech
from tests.transports.senders.faces import all_heard, listener

RATE = FrameRate(60)


async def spoken(address: str, seconds: float, send_to: tuple[str, ...]) -> Frames:
    """The frames that the client itself got."""
    runs = []
    async with (
        AsyncClient(address) as client,
        client.animate(sample_rate_hz=RATE_HZ, encoding="f32", frame_rate=RATE, seed=1, send_to=send_to) as stream,
    ):

        async def speak() -> None:
            async for chunk in at_live_pace(speech(seconds), RATE_HZ):
                await stream.send(chunk)
            await stream.finish()

        speaking = asyncio.create_task(speak())
        async for frames in stream:
            runs.append(frames)
        await speaking
    return joined_frames(runs)


async def until_quiet(server: object) -> None:
    """Until the pacer has shown the last face."""
    pacer = server.server.senders._pacer  # type: ignore[attr-defined]
    while pacer._outlets:
        await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_stream_reaches_its_client_and_two_tools_alike() -> None:
    with listener() as (unreal, port), listener() as (vrm, vrm_port):
        async with loopback() as server:
            targets = (f"livelink://:{port}?subject=Hero", f"vmc://localhost:{vrm_port}?names=camel")
            frames = await spoken(server.server.address, 0.6, targets)
            await until_quiet(server)
            packets = all_heard(unreal)
            faces = [PyLiveLinkFace.decode(packet)[1] for packet in packets]
            shown = np.array([face.get_blendshape(FaceBlendShape.JawOpen) for face in faces])
            jaw = frames.weights[:, 17]
            assert jaw.max() > 0.1
            # where this machine stands still a face is held and the next few blend in; else they are the client's own
            same = np.isclose(jaw[:, None], shown, atol=1e-6).any(axis=1)
            assert same.sum() > 5
            assert len(shown) >= len(jaw)
            np.testing.assert_allclose(shown[-3:], jaw[-3:], atol=1e-6)
            assert {face.name for face in faces} == {"Hero"}
            bundles = all_heard(vrm)
            applied = sum(message.address.endswith("Apply") for one in bundles for message in OscBundle(one))
            assert applied > len(jaw) // 2  # three bundles a frame; a socket may hold no more than 200 kB


@pytest.mark.asyncio
async def test_a_client_that_goes_leaves_a_face_at_rest() -> None:
    with listener() as (heard, port):
        async with loopback() as server:
            async with (
                AsyncClient(server.server.address) as client,
                client.animate(
                    sample_rate_hz=RATE_HZ, encoding="f32", frame_rate=RATE, send_to=(f"livelink://:{port}?delay_ms=0",)
                ) as stream,
            ):
                await stream.send(speech(1.0)[:8000])
                while not (packets := all_heard(heard)):
                    await asyncio.sleep(0.01)
            await until_quiet(server)
            packets += all_heard(heard)
            assert len(packets) > 10
            last = PyLiveLinkFace.decode(packets[-1])[1]
            np.testing.assert_allclose(last._blend_shapes[:52], 0.0, atol=1e-6)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        ("livelink://10.9.8.7:11111", Forbidden, "setting send_targets lists; add '10.9.8.7:11111' there"),
        ("livelink://:80", Forbidden, "ports from 1024"),
        ("smoke://host:1", InvalidValue, "allowed: livelink://HOST:PORT"),
        ("livelink://:70000", InvalidValue, "a port from 1 to 65535"),
        ("livelink://no-such-host.invalid", InvalidValue, "a host that can be found"),
    ],
)
async def test_what_may_not_or_can_not_be_sent_to_is_one_status(target: str, error: type[Exception], said: str) -> None:
    async with loopback(send_targets=("no-such-host.invalid",)) as server, AsyncClient(server.server.address) as client:
        with pytest.raises(error) as caught:
            async with client.animate(send_to=(target,)):
                pass
        assert said in str(caught.value)
        assert server.open_rows == 0
        async with client.animate(send_to=()):
            pass


@pytest.mark.asyncio
async def test_a_setting_opens_other_hosts_and_a_bad_one_is_refused() -> None:
    async with (
        loopback(send_targets=("192.0.2.0/24",)) as server,
        AsyncClient(server.server.address) as client,
        client.animate(send_to=("livelink://192.0.2.7",)),
    ):
        assert server.open_rows == 1
    with pytest.raises(InvalidValue, match="send_targets"):
        async with loopback(send_targets=("everywhere/0",)):
            pass


@pytest.mark.asyncio
async def test_too_many_targets_and_targets_of_clips_are_refused() -> None:
    async with loopback() as server, AsyncClient(server.server.address) as client:
        with pytest.raises(InvalidValue, match="got 5 targets; allowed: at most 4"):
            async with client.animate(send_to=("livelink://",) * 5):
                pass
        with pytest.raises(InvalidValue, match=r"config\.send_to: got a value; allowed: nothing: a clip"):
            await client.animate_clip(speech(0.2), encoding="f32", send_to=("livelink://",))
