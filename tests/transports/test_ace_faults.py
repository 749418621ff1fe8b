"""Everything a client of NVIDIA's interface can do wrong: one clear text or status each."""

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest

from facestream.engines.synthetic import Faults
from facestream.errors import Unavailable
from tests.transports.ace_client import (
    END,
    ERROR,
    INFO,
    SUCCESS,
    Answer,
    ask,
    ask_late,
    audio,
    call_of,
    header,
    read_all,
    request,
    whole,
)
from tests.transports.ace_tables import message
from tests.transports.loopback import Loopback, loopback, speech, synthetic_pipeline, until

pytestmark = pytest.mark.asyncio

SAMPLES = (speech(0.5) * 32767).astype(np.int16)
SECOND = np.zeros(16_000, np.int16)
GO_ON = [audio(SAMPLES), audio(SAMPLES), END]
"""What a client that has not noticed writes after its mistake."""

MISTAKES: dict[str, tuple[list[Any], str]] = {
    "audio first": ([audio(SAMPLES)], "the first message was audio_with_emotion; send audio_stream_header first"),
    "end first": ([END], "the first message was end_of_audio"),
    "empty message first": ([request()], "the first message was an empty message"),
    "no audio header": (
        [request(audio_stream_header=message("controller.v1.AudioStreamHeader"))], "audio_header: got nothing",
    ),
    "not PCM": ([header(audio_format=7)], "audio_header.audio_format: got 7; allowed: AUDIO_FORMAT_PCM (0)"),
    "stereo": ([header(channels=2)], "audio_header.channel_count: got 2; allowed: 1"),
    "no channels": ([header(channels=0)], "audio_header.channel_count: got 0; allowed: 1"),
    "8 bits": ([header(bits=8)], "audio_header.bits_per_sample: got 8; allowed: 16"),
    "8 kHz": ([header(8_000)], "audio_header.samples_per_second: got 8000; allowed: 16000 to 144000"),
    "192 kHz": ([header(192_000)], "audio_header.samples_per_second: got 192000"),
    "part of a sample": ([header(), audio(b"abc")], "audio_buffer: got 3 bytes; allowed: whole samples"),
    "part of a sample later": ([header(), audio(SAMPLES), audio(b"abc")], "audio_buffer: got 3 bytes"),
    "11 s in one message": (
        [header(), audio(bytes(2 * 11 * 16_000))], "got 11.0 s in one message; allowed: at most 10 s",
    ),
    "301 s": ([header(), *[audio(SECOND)] * 301], "more than 300 s in one call; allowed: at most 300 s"),
    "a second header": ([header(), audio(SAMPLES), header()], "a second audio_stream_header"),
    "an empty message": ([header(), audio(SAMPLES), request()], "an empty message; after the header send"),
    "bytes that are no message": ([header(), b"\xff\xff\xff"], "bytes that are no message"),
    "no audio at all": ([header(), audio(b""), END], "no samples before the end; allowed: at least one sample"),
}  # fmt: skip


async def _witness(server: Loopback) -> Answer:
    """A well-behaved call that lives beside all the others."""
    return await ask(server.channel, whole((speech(2.0, seed=9) * 32767).astype(np.int16), chunk=640), pause_s=0.002)


async def test_each_mistake_is_told_in_one_error_and_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback() as server:
        alone = await _witness(server)
        witness = asyncio.create_task(_witness(server))
        for case, (requests, words) in MISTAKES.items():
            answer = await ask(server.channel, [*requests, *GO_ON])
            assert words in answer.error, (case, answer.error)
            assert not answer.statuses(SUCCESS), case
            await until(lambda: server.open_rows <= 1)
        beside = await witness
        assert server.server.ace_uploads.held_bytes == 0
    assert beside.is_complete
    np.testing.assert_array_equal(alone.weights, beside.weights)
    assert not [record for record in caplog.records if record.exc_info], "a client's mistake is not worth a traceback"


async def test_a_client_that_writes_everything_first_reads_the_error_too() -> None:
    async with loopback() as server:
        for case in ("audio first", "stereo", "part of a sample", "a second header"):
            answer = await ask_late(server.channel, [*MISTAKES[case][0], *GO_ON])
            assert MISTAKES[case][1] in answer.error


async def test_the_answer_to_a_bad_header_says_what_it_was() -> None:
    async with loopback() as server:
        answer = await ask(server.channel, [header(channels=2, bits=8), *GO_ON])
        assert (answer.header.audio_header.channel_count, answer.header.audio_header.bits_per_sample) == (2, 8)
        assert len(answer.header.skel_animation_header.blend_shapes) == 52
        said_nothing = await ask(server.channel, [audio(SAMPLES), END])
        assert said_nothing.header.audio_header.bits_per_sample == 16


async def test_nothing_at_all_is_told_too() -> None:
    async with loopback() as server:
        answer = await ask_late(server.channel, [])
        assert "the first message was nothing" in answer.error


async def test_a_message_beyond_all_limits_is_refused_by_its_length() -> None:
    async with loopback() as server:
        answer = await ask(server.channel, [header(), audio(bytes(4_000_000)), END])
        assert answer.end is not None
        assert answer.end.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        # what facestream.v1 refuses is legal here: ten seconds at the highest rate
        samples = np.zeros(1_440_000, np.int16)
        assert (await ask(server.channel, [header(144_000), audio(samples), END])).is_complete


async def test_who_says_nothing_for_long_is_told_and_let_go() -> None:
    async with loopback(idle_timeout_s=0.3) as server:
        for spoken in ([], [header()], [header(), audio(SAMPLES)]):
            call = call_of(server.channel)
            for one in spoken:
                await call.write(one)
            answer = await read_all(call)
            assert "for 0.3 s" in answer.error
            assert server.open_rows == 0


async def test_who_speaks_slowly_is_not_cut() -> None:
    """Speech synthesis pauses: the whole feed takes longer than the wait for any one piece of it may."""
    async with loopback(idle_timeout_s=0.5) as server:
        answer = await ask(server.channel, whole(SAMPLES, chunk=1_600), pause_s=0.12)
    assert answer.is_complete
    assert len(answer.frames) == 15


@pytest.mark.parametrize(
    "method",
    [
        "/nvidia_ace.services.a2f.v1.A2FService/PushAudioStream",
        "/nvidia_ace.services.animation_data.v1.AnimationDataService/PullAnimationDataStream",
        "/nvidia_ace.services.a2f_authoring.v1.A2FAuthoringService/UploadAudioClip",
    ],
)
async def test_services_of_other_versions_are_said_to_be_missing(method: str) -> None:
    async with loopback() as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.channel.unary_unary(method)(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_full_house_refuses_after_hearing_the_client_out() -> None:
    async with loopback(max_streams=1) as server:
        inside = call_of(server.channel)
        await inside.write(header())
        await inside.write(audio(SAMPLES))
        await until(lambda: server.open_rows == 1)
        for _ in range(2):
            refused = await ask(server.channel, whole(SAMPLES))
            assert refused.end is not None
            assert refused.end.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "all 1 places for live streams are taken" in (refused.end.details() or "")
            assert not refused.statuses(ERROR)
        await inside.write(END)
        assert (await read_all(inside)).is_complete
        assert (await ask(server.channel, whole(SAMPLES))).is_complete


async def test_a_server_that_stops_says_unavailable() -> None:
    async with loopback(drain_grace_s=0.1) as server:
        call = call_of(server.channel)
        await call.write(header())
        await call.write(audio(SAMPLES))
        await until(lambda: server.open_rows == 1)
        reading = asyncio.create_task(read_all(call))
        await server.server.drain()
        answer = await reading
        assert answer.end is not None
        assert answer.end.code() == grpc.StatusCode.UNAVAILABLE
        late = await ask(server.channel, [header(), audio(SAMPLES)])
        assert late.end is not None
        assert late.end.code() == grpc.StatusCode.UNAVAILABLE


async def test_an_engine_that_fails_for_a_call_fails_that_one_alone() -> None:
    loud = np.full(8_000, 32_000, np.int16)
    async with loopback(lambda: synthetic_pipeline(faults=Faults(poison_level=0.9))) as server:
        alone = await _witness(server)
        witness = asyncio.create_task(_witness(server))
        answer = await ask(server.channel, [header(), audio(SAMPLES), audio(loud), END])
        assert "the engine failed for this stream" in answer.error
        beside = await witness
    np.testing.assert_array_equal(alone.weights, beside.weights)


async def test_an_engine_that_starts_anew_is_unavailable_and_heard_out() -> None:
    async with loopback() as server:
        call = call_of(server.channel)
        await call.write(header())
        await call.write(audio(SAMPLES))
        await until(lambda: server.server.host.streams)
        (stream,) = server.server.host.streams
        stream.fail(Unavailable("the engine is started anew"))
        for one in GO_ON:
            await call.write(one)
        answer = await read_all(call)
        assert answer.end is not None
        assert answer.end.code() == grpc.StatusCode.UNAVAILABLE


async def test_values_never_fail_a_call() -> None:
    face = message(
        "a2f.v1.FaceParameters",
        float_params={"upperFaceStrength": 5.0, "noSuchThing": 1.0, "skinStrength": float("nan"), "lipOpenOffset": 0.1},
        integer_params={"more": 1},
    )
    blendshapes = message(
        "a2f.v1.BlendShapeParameters",
        bs_weight_multipliers={"TongueTipUp": 1.0, "Ear": 2.0, "JawOpen": float("inf"), "MouthClose": 3e38},
        bs_weight_offsets={"MouthClose": 3e38, "JawOpen": float("nan")},
    )
    rules = message("a2f.v1.EmotionPostProcessingParameters", max_emotions=99, emotion_strength=-3.0)
    wild = [(-1.0, {"joy": 9.0}), (1e300, {"anger": 1.0}), (float("nan"), {}), (0.2, {"out_of_breath": 1.0, "x": 1.0})]
    requests = whole(SAMPLES, face_params=face, blendshape_params=blendshapes, emotion_post_processing_params=rules)
    requests[1] = audio(SAMPLES, emotions=wild)
    async with loopback() as server:
        answer = await ask(server.channel, requests)
    assert answer.is_complete
    assert np.isfinite(answer.weights).all()
    told = " | ".join(answer.statuses(INFO))
    assert "upperFaceStrength: 5 is taken as 2 (0 to 2)" in told
    for name in ("noSuchThing", "lipOpenOffset", "skinStrength", "more", "Ear", "JawOpen", "max_emotions"):
        assert name in told, name
    assert "TongueTipUp" not in told, "a multiplier of 1 asks for nothing"
    assert "the model of this call does not act" in told
