"""NVIDIA's interface over a real connection, asked as its clients ask."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.client import AsyncClient, StreamOptions
from facestream.errors import InvalidValue
from facestream.transports.ace_call import _seed_of
from facestream.transports.ace_service import CONFIGS, CONTROLLER
from facestream.transports.server import Server
from facestream.types import joined_frames
from tests.transports.ace_client import (
    BLEND_SHAPES,
    END,
    GET_CONFIGS,
    WARNING,
    Int16,
    ask,
    ask_late,
    audio,
    call_of,
    header,
    request,
    whole,
)
from tests.transports.ace_tables import kind_of, message
from tests.transports.loopback import loopback, speech, synthetic_pipeline, until
from tests.transports.loopback import settings as server_settings

pytestmark = pytest.mark.asyncio


def spoken(sample_count: int, seed: int = 0) -> Int16:
    return (speech(sample_count / 16_000, seed) * 32767).astype(np.int16)


async def test_a_clip_comes_back_as_a_frame_and_its_audio_a_message() -> None:
    samples = spoken(20_371)
    async with loopback() as server:
        answer = await ask(server.channel, whole(samples))
    assert answer.is_complete
    assert list(answer.header.skel_animation_header.blend_shapes) == list(BLEND_SHAPES)
    assert not answer.header.skel_animation_header.joints
    told = answer.header.audio_header
    assert (told.audio_format, told.channel_count, told.samples_per_second, told.bits_per_sample) == (0, 1, 16_000, 16)
    assert answer.header.start_time_code_since_epoch > 1.7e9
    frame_count = -(-samples.size * 30 // 16_000)
    assert answer.times == [index / 30 for index in range(frame_count)]
    assert np.isfinite(answer.weights).all()
    assert answer.weights[:, BLEND_SHAPES.index("JawOpen")].max() > 0.1
    assert not any(frame.metadata for frame in answer.frames)


@pytest.mark.parametrize(
    ("sample_count", "frames", "echoed"),
    [(98_044, 184, 98_133), (60_371, 114, 60_800)],
    ids=["recorded from NVIDIA's service", "log in the Unreal documentation"],
)
async def test_frames_and_slices_are_counted_as_nvidia_counts_them(sample_count: int, frames: int, echoed: int) -> None:
    samples = spoken(sample_count)
    async with loopback() as server:
        answer = await ask(server.channel, whole(samples))
    assert (len(answer.frames), answer.echo.size) == (frames, echoed)
    np.testing.assert_array_equal(answer.echo[:sample_count], samples)
    assert not answer.echo[sample_count:].any()


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([16_000, 22_050, 44_100, 48_000, 96_000, 144_000]), st.integers(1, 9_000), st.integers(1, 4_000))
async def test_the_echo_is_the_upload_whatever_its_rate_and_chunks(rate_hz: int, count: int, chunk: int) -> None:
    samples = np.random.default_rng(count).integers(-32768, 32768, count).astype(np.int16)
    async with loopback() as server:
        answer = await ask(server.channel, whole(samples, rate_hz, chunk))
    assert answer.is_complete
    assert len(answer.frames) == -(-count * 30 // rate_hz)
    assert answer.echo.size - count <= -(-rate_hz // 30)
    np.testing.assert_array_equal(answer.echo[:count], samples)
    assert not answer.echo[count:].any()
    assert {frame.audio.audio_buffer.__len__() // 2 for frame in answer.frames} <= {rate_hz // 30, -(-rate_hz // 30)}


async def test_whole_seconds_end_with_an_empty_buffer() -> None:
    requests = whole(spoken(16_000))
    assert requests[-2].audio_with_emotion.audio_buffer == b""
    async with loopback() as server:
        answer = await ask(server.channel, requests)
    assert answer.is_complete
    assert (len(answer.frames), answer.echo.size) == (30, 16_000)


async def test_a_half_close_without_an_end_is_the_end() -> None:
    samples = spoken(4_000)
    async with loopback() as server:
        answer = await ask(server.channel, whole(samples)[:-1], half_closes=True)
        assert answer.is_complete
        assert len(answer.frames) == 8
        assert (await ask_late(server.channel, whole(samples))).is_complete


async def test_bursts_and_live_chunks_give_the_frames_of_facestream_v1() -> None:
    samples = spoken(24_000, seed=4)
    async with loopback() as server:
        burst = await ask(server.channel, whole(samples))
        unreal = await ask(server.channel, whole(samples, chunk=560), pause_s=0.001)
        again = await ask(server.channel, whole(samples, chunk=8000))
        other = await ask(server.channel, whole(spoken(24_000, seed=5)))
        async with AsyncClient(server.server.address) as client:
            options = StreamOptions(seed=_seed_of(samples[:1600].tobytes()), encoding="s16")
            async with client.animate(options) as stream:
                await stream.send(samples[:16_000])
                await stream.send(samples[16_000:])
                await stream.finish()
                ours = joined_frames([frames async for frames in stream])
    np.testing.assert_allclose(burst.weights, unreal.weights, atol=1e-5)
    np.testing.assert_allclose(burst.weights, again.weights, atol=1e-5)
    np.testing.assert_allclose(burst.weights, ours.weights[: len(burst.frames)], atol=1e-5)
    assert np.abs(burst.weights - other.weights).max() > 0.1


async def test_frames_do_not_wait_for_the_end_of_the_clip() -> None:
    async with loopback() as server:
        call = call_of(server.channel)
        await call.write(header())
        assert (await call.read()).HasField("animation_data_stream_header")
        for piece in np.split(spoken(16_000), 40):
            await call.write(audio(piece))
        # one second, 60 ms of look-ahead: these come while the client may still go on
        for index in range(27):
            frame = (await call.read()).animation_data
            assert frame.audio.time_code == index / 30
        await call.write(END)
        rest = [await call.read() for _ in range(5)]
        assert [one.WhichOneof("stream_part") for one in rest] == [*["animation_data"] * 3, "event", "status"]
        assert await call.read() is grpc.aio.EOF


async def test_a_client_of_version_1_0_is_served() -> None:
    """It knows neither emotion parameters nor the clamp."""
    parameters = message("a2f.v1.BlendShapeParameters", bs_weight_multipliers={"JawOpen": 1.0})
    rules = message("a2f.v1.EmotionPostProcessingParameters", emotion_contrast=1.0, max_emotions=3)
    async with loopback() as server:
        answer = await ask(
            server.channel,
            whole(spoken(3_000), blendshape_params=parameters, emotion_post_processing_params=rules),
        )
    assert answer.is_complete


async def test_what_comes_after_the_end_is_warned_of_and_left_out() -> None:
    samples = spoken(16_000 * 4)
    late = [audio(samples[:100]), header(), END, request()]
    async with loopback(ace_pace=10.0) as server:
        answer = await ask(server.channel, [*whole(samples), *late])
    assert answer.is_complete
    assert len(answer.frames) == 120
    assert answer.statuses(WARNING) == ["audio_with_emotion after end_of_audio was not used"]


async def test_metadata_is_ignored_unless_tokens_are_asked_for() -> None:
    requests = whole(spoken(2_000))
    metadata = [("function-id", "1234"), ("function-version-id", "5"), ("authorization", "Bearer nothing")]
    async with loopback() as server:
        assert (await ask(server.channel, requests, metadata=metadata)).is_complete
    async with loopback(tokens=("secret",)) as server:
        refused = await ask(server.channel, requests, metadata=metadata)
        assert refused.end is not None
        assert refused.end.code() == grpc.StatusCode.UNAUTHENTICATED
        assert (await ask(server.channel, requests, metadata=[("authorization", "Bearer secret")])).is_complete
        await server.channel.unary_unary("/grpc.health.v1.Health/Check")(b"")


async def test_health_answers_for_all_and_for_each_service() -> None:
    async with loopback() as server:
        stub = health_pb2_grpc.HealthStub(server.channel)
        for service in ("", CONTROLLER, CONFIGS):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=""))
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
        await server.server.drain()
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    fields = {"tls_certificate": tmp_path / "both.pem", "tls_key": tmp_path / "both.pem"}
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    async with (
        Server(server_settings(**fields), load=lambda: [synthetic_pipeline()]) as server,
        grpc.aio.secure_channel(server.address, credentials) as channel,
    ):
        assert (await ask(channel, whole(spoken(2_000)))).is_complete


async def test_a_second_port_serves_the_same() -> None:
    async with loopback(ace_port=0) as server:
        assert server.server.ace_port not in (None, server.server.port)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.server.ace_port}") as channel:
            assert (await ask(channel, whole(spoken(2_000)))).is_complete
        taken = server_settings(ace_port=server.server.ace_port)
        with pytest.raises(InvalidValue, match=r"ace_port: got 127.0.0.1:.*another server running"):
            await Server(taken, load=lambda: [synthetic_pipeline()]).start()


async def test_a_model_that_is_not_served_stops_the_start() -> None:
    with pytest.raises(InvalidValue, match="ace_model: got 'other'; allowed: one of synthetic, or empty"):
        await Server(server_settings(ace_model="other"), load=lambda: [synthetic_pipeline()]).start()


@pytest.mark.parametrize("config_type", [0, 1], ids=["YAML", "JSON"])
async def test_configs_are_three_files_that_hold_what_is_served(config_type: int) -> None:
    package = "services.a2x_export_config.v1"
    async with loopback(max_streams=7, ace_clip_bound_s=12) as server:
        get = server.channel.unary_stream(
            GET_CONFIGS,
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=kind_of(f"{package}.A2XConfig").FromString,
        )
        files = [one async for one in get(message(f"{package}.ConfigsTypeRequest", config_type=config_type))]
    ending = ("yaml", "json")[config_type]
    names = [f"{name}_config.{ending}" for name in ("stylization", "deployment", "advanced")]
    assert [file.name for file in files] == names
    stylization, deployment, advanced = (_parsed(file.content, config_type) for file in files)
    assert list(stylization["a2f"]["blendshape_params"]["weight_multipliers"]) == list(BLEND_SHAPES)
    assert stylization["a2f"]["inference_model_id"] == "synthetic"
    assert deployment["common"]["stream_number"] == 7
    assert advanced["input_sanitization"]["max_audio_clip_size_second"] == 12


def _parsed(text: str, config_type: int) -> Any:
    if config_type == 1:
        return json.loads(text)
    found: dict[str, Any] = {}
    stack = [(-1, found)]
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        name, value = line.strip().split(":", 1)
        while stack[-1][0] >= indent:
            stack.pop()
        if value.strip():
            stack[-1][1][name] = json.loads(value)
        else:
            stack[-1][1][name] = inner = {}
            stack.append((indent, inner))
    return found


async def test_other_frame_rates_and_a_tail_to_rest_where_the_operator_wants_them() -> None:
    samples = spoken(16_000)
    async with loopback(ace_frame_rate=60) as server:
        answer = await ask(server.channel, whole(samples))
        assert answer.is_complete
        assert answer.times == [index / 60 for index in range(60)]
    async with loopback(ace_rests_at_end=True) as server:
        rested = await ask(server.channel, whole(samples))
        assert rested.is_complete
        assert len(rested.frames) == 39
        assert not rested.weights[-1].any()
        np.testing.assert_array_equal(rested.echo[:16_000], samples)
        assert rested.echo.size == 39 * 16_000 // 30
        assert not rested.echo[16_000:].any()


async def test_a_cancelled_call_gives_its_place_back() -> None:
    async with loopback(max_streams=1) as server:
        call = call_of(server.channel)
        await call.write(header())
        await call.write(audio(spoken(8_000)))
        await call.read()
        await until(lambda: server.open_rows == 1)
        call.cancel()
        await until(lambda: not server.server.host.streams and server.open_rows == 0)
        assert (await ask(server.channel, whole(spoken(2_000)))).is_complete


@pytest.mark.slow
async def test_sixteen_calls_do_not_change_each_other() -> None:
    clips = [spoken(6_000 + 100 * number, seed=number) for number in range(16)]
    async with loopback() as server:
        together = await asyncio.gather(*(ask(server.channel, whole(clip, chunk=700)) for clip in clips))
        for clip, answer in list(zip(clips, together, strict=True))[::5]:
            alone = await ask(server.channel, whole(clip))
            assert answer.is_complete
            np.testing.assert_array_equal(answer.echo, alone.echo)
            np.testing.assert_allclose(answer.weights, alone.weights, atol=1e-5)


@pytest.mark.slow
async def test_a_paced_answer_takes_its_time_and_loses_nothing() -> None:
    samples = spoken(16_000)
    async with loopback(ace_pace=8.0) as server:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        answer = await ask(server.channel, whole(samples))
        assert loop.time() - began_s > (29 / 30 - 0.5) / 8.0
    assert answer.is_complete
    assert len(answer.frames) == 30
