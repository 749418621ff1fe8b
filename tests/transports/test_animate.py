"""What a well-behaved client gets: frames addressed to its samples, events where they belong, for any chunking."""

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32
from facestream.v1.animation_service_pb2 import AnimateClipRequest, AnimateRequest, ListModelsRequest
from facestream.v1.audio_pb2 import AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import FrameRate as WireFrameRate
from facestream.v1.config_pb2 import MotionControls
from facestream.v1.control_pb2 import Control, Flush
from tests.transports.loopback import (
    RATE_HZ,
    audio,
    clip_audio,
    config,
    config_message,
    converse,
    loopback,
    speech,
    synthetic_pipeline,
)

SPEECH = speech(1.5)
JAW = INDEX["jawOpen"]


def weights_of(answers: list[Any]) -> Float32:
    """All frames as one array; checks that they are addressed without a hole on the way."""
    runs = [answer.frames for answer in answers if answer.HasField("frames")]
    position = 0
    for run in runs:
        assert run.first_frame_index == position
        assert len(run.weights) == run.frame_count * len(ARKIT_NAMES)
        for rotation in (run.head_rotation, run.left_eye_rotation, run.right_eye_rotation):
            assert len(rotation) == 4 * run.frame_count
        position += run.frame_count
    return np.array([value for run in runs for value in run.weights], np.float32).reshape(position, -1)


@pytest.mark.asyncio
async def test_started_comes_first_and_says_everything() -> None:
    async with loopback(idle_timeout_s=12.5, max_age_s=600.0) as server:
        rate = WireFrameRate(numerator=60, denominator=1)
        answers = await converse(server.stub.Animate(), config(frame_rate=rate), audio(SPEECH[:8000]))
        started = answers[0].started
        assert answers[0].HasField("started")
        assert [answer.WhichOneof("kind") for answer in answers[1:]].count("started") == 0
        assert tuple(started.curve_names) == ARKIT_NAMES
        assert (started.model, started.model_version, started.seed) == ("synthetic", "1", 1)
        assert (started.frame_rate.numerator, started.frame_rate.denominator) == (60, 1)
        assert started.latency_samples >= 960
        limits = started.limits
        assert (limits.message_bytes, limits.chunk_samples) == (256 * 1024, RATE_HZ)
        assert (limits.ahead_samples, limits.gap_samples) == (2 * RATE_HZ, 30 * RATE_HZ)
        assert (limits.idle_timeout.ToMilliseconds(), limits.max_age.ToMilliseconds()) == (12_500, 600_000)
        # half a second of audio, then the face eases to rest
        assert 30 <= len(weights_of(answers)) <= 60


@pytest.mark.asyncio
async def test_chunking_over_the_wire_gives_equal_frames() -> None:
    async with loopback() as server:

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.integers(1, len(SPEECH) - 1), max_size=25, unique=True))
        def any_cut(cuts: list[int]) -> None:
            pieces = np.split(SPEECH, sorted({*cuts, len(SPEECH) // 2}))  # no piece beyond a second
            requests.append([audio(piece) for piece in pieces])

        requests: list[list[AnimateRequest]] = []
        any_cut()
        whole = weights_of(await converse(server.stub.Animate(), config(), *map(audio, np.split(SPEECH, 3))))
        streams = [converse(server.stub.Animate(), config(), *chunks) for chunks in requests]
        for answers in await asyncio.gather(*streams):  # side by side, so that batches differ too
            np.testing.assert_allclose(weights_of(answers), whole, atol=1e-5)
        # a difference in the audio must show
        other = weights_of(await converse(server.stub.Animate(), config(), *map(audio, np.split(0.5 * SPEECH, 3))))
        assert np.abs(other - whole).max() > 0.01


@pytest.mark.asyncio
async def test_a_clip_gives_the_frames_of_the_pipeline_and_of_the_live_stream() -> None:
    async with loopback() as server:
        clip = weights_of(
            await converse(
                server.stub.AnimateClip(),
                AnimateClipRequest(config=config_message()),
                *map(clip_audio, np.split(SPEECH, 2)),
            )
        )
        live = weights_of(await converse(server.stub.Animate(), config(), *map(audio, np.split(SPEECH, 30))))
    np.testing.assert_allclose(clip, live, atol=1e-5)
    here = animate(SPEECH, StreamOptions(seed=1), synthetic_pipeline())
    np.testing.assert_allclose(clip, here.weights, atol=1e-5)


@pytest.mark.asyncio
async def test_every_format_gives_the_same_mouth() -> None:
    stereo = np.repeat((SPEECH * 32767).astype("<i2"), 2)
    formats = {
        AudioEncoding.AUDIO_ENCODING_F32LE: (1, SPEECH.astype("<f4").tobytes()),
        AudioEncoding.AUDIO_ENCODING_S16LE: (2, stereo.tobytes()),
    }
    found = []
    async with loopback() as server:
        for encoding, (channels, data) in formats.items():
            audio_format = AudioFormat(encoding=encoding, sample_rate_hz=RATE_HZ, channel_count=channels)
            half = len(data) // 2
            pieces = audio(data[:half]), audio(data[half:])
            found.append(weights_of(await converse(server.stub.Animate(), config(audio_format=audio_format), *pieces)))
    np.testing.assert_allclose(found[0][:, JAW], found[1][:, JAW], atol=2e-3)


@pytest.mark.asyncio
async def test_frames_come_while_the_audio_does() -> None:
    clock = FrameClock(FrameRate(30), RATE_HZ)
    async with loopback() as server:
        call = server.stub.Animate()
        await call.write(config())
        latency = (await call.read()).started.latency_samples
        received = 0
        for first in range(0, 9600, 640):
            await call.write(audio(SPEECH[first : first + 640]))
            ready = clock.frames_until(first + 640 - latency + 1)
            while received < ready:  # a frame whose look-ahead is there comes without any more audio
                received += (await call.read()).frames.frame_count
        assert received == clock.frames_until(9600 - latency + 1) > 10
        call.cancel()


@pytest.mark.asyncio
async def test_controls_take_effect_at_their_sample() -> None:
    async with loopback() as server:
        chunks = [audio(piece) for piece in np.split(SPEECH, 3)]
        plain = weights_of(await converse(server.stub.Animate(), config(), *chunks))
        shut = AnimateRequest(control=Control(at_sample=12_000, controls=MotionControls(mouth_strength=0)))
        answers = await converse(server.stub.Animate(), config(), shut, *chunks)
    changed = weights_of(answers)
    first = FrameClock(FrameRate(30), RATE_HZ).frames_until(12_000)
    np.testing.assert_allclose(changed[:first], plain[:first], atol=1e-5)
    assert changed[first + 15 :, JAW].max() < 0.01 < plain[first + 15 :, JAW].max()


@pytest.mark.asyncio
async def test_flush_is_answered_behind_the_frames_of_its_audio() -> None:
    flush = AnimateRequest(flush=Flush(marker_id=41))
    async with loopback() as server:
        answers = await converse(
            server.stub.Animate(), config(), audio(SPEECH[:8000]), flush, audio(SPEECH[8000:16000])
        )
    place = next(place for place, answer in enumerate(answers) if answer.event.HasField("flush_done"))
    done = answers[place].event.flush_done
    delivered = sum(answer.frames.frame_count for answer in answers[:place])
    assert done.marker_id == 41
    assert done.next_frame_index == delivered >= FrameClock(FrameRate(30), RATE_HZ).frames_until(8000)
    assert place < len(answers) - 1, "the marker does not wait for the end"


@pytest.mark.asyncio
async def test_a_jump_of_the_position_is_silence_and_is_told() -> None:
    async with loopback() as server:
        gap = await converse(
            server.stub.Animate(), config(), audio(SPEECH[:8000]), audio(SPEECH[:8000], first_sample=8000 + 4 * RATE_HZ)
        )
        silence = [audio(np.zeros(RATE_HZ, np.float32))] * 4
        filled = await converse(server.stub.Animate(), config(), audio(SPEECH[:8000]), *silence, audio(SPEECH[:8000]))
    (event,) = [answer.event.gap for answer in gap if answer.event.HasField("gap")]
    assert (event.first_sample, event.sample_count) == (8000, 4 * RATE_HZ)
    np.testing.assert_allclose(weights_of(gap), weights_of(filled), atol=1e-5)


@pytest.mark.asyncio
async def test_running_ahead_of_real_time_is_told_once_and_a_clip_is_not_told() -> None:
    chunks = [audio(piece) for piece in np.split(speech(6.0), 12)]
    async with loopback() as server:
        answers = await converse(server.stub.Animate(), config(), *chunks)
        assert sum(answer.event.HasField("ahead_of_real_time") for answer in answers) == 1
        clip = [clip_audio(piece) for piece in np.split(speech(6.0), 12)]
        answers = await converse(server.stub.AnimateClip(), AnimateClipRequest(config=config_message()), *clip)
        assert not [answer for answer in answers if answer.event.HasField("ahead_of_real_time")]


@pytest.mark.asyncio
async def test_config_without_audio_ends_well() -> None:
    async with loopback() as server:
        assert [answer.WhichOneof("kind") for answer in await converse(server.stub.Animate(), config())] == ["started"]


@pytest.mark.asyncio
async def test_models_are_listed() -> None:
    async with loopback() as server:
        (model,) = (await server.stub.ListModels(ListModelsRequest())).models
    assert (model.name, model.version, model.latency_samples) == ("synthetic", "1", 960)
    assert (list(model.curve_sets), model.has_pose) == (["arkit52"], True)


@pytest.mark.asyncio
async def test_a_new_caller_in_a_used_row_starts_from_nothing() -> None:
    async with loopback(max_streams=1) as server:
        first = weights_of(await converse(server.stub.Animate(), config(), *map(audio, np.split(SPEECH, 3))))
        for _ in range(3):
            call = server.stub.Animate()
            await call.write(config())
            await call.write(audio(0.9 * speech(1.0, seed=5)))
            await call.read()
            await call.read()
            call.cancel()
            while server.open_rows:
                await asyncio.sleep(0.001)
        again = await _when_free(server.stub)
    np.testing.assert_array_equal(first, weights_of(again))


async def _when_free(stub: Any) -> list[Any]:
    while True:
        try:
            return await converse(stub.Animate(), config(), *map(audio, np.split(SPEECH, 3)))
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            await asyncio.sleep(0.005)
