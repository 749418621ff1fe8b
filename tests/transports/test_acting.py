"""Emotion over a real connection: a live model and one that acts, side by side."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from facestream.acting import Emotion, Sampling
from facestream.client import AsyncClient, StreamOptions
from facestream.client.status_errors import error_of
from facestream.errors import AudioError, FacestreamError, InvalidValue, NotFound
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.transports.server import Server
from facestream.types import Float32, Frames, joined_frames
from facestream.v1.acting_pb2 import ActingControls, EmotionVector, SampledMotion, SpeechEmotion
from facestream.v1.animation_service_pb2 import AnimateRequest, HearEmotionConfig, HearEmotionRequest
from facestream.v1.audio_pb2 import AudioEncoding, AudioFormat
from facestream.v1.config_pb2 import MotionControls
from facestream.v1.control_pb2 import Control
from tests.engines.tiny_deeptalk import WIDTH, write_tiny_deeptalk
from tests.serving.streams import babble
from tests.transports.loopback import RATE_HZ, Loopback, audio, config, settings, synthetic_pipeline, until
from tests.transports.test_errors import Code, refusal_of

pytestmark = pytest.mark.asyncio

ACTS = "tiny-deeptalk"
SPOKEN = babble(2, RATE_HZ, 2.0)


@pytest.fixture(scope="module")
def acting_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return open_pipeline(str(write_tiny_deeptalk(tmp_path_factory.mktemp("acts"))))


@contextlib.asynccontextmanager
async def both(acting: Pipeline, **fields: Any) -> AsyncIterator[tuple[Loopback, AsyncClient]]:
    """A server with the synthetic live model as its default and the one that acts beside it."""
    async with (
        Server(settings(**fields), load=lambda: [synthetic_pipeline(), acting]) as server,
        grpc.aio.insecure_channel(server.address) as channel,
        AsyncClient(server.address) as client,
    ):
        yield Loopback(server, channel), client


async def live(client: AsyncClient, samples: Float32, **fields: Any) -> Frames:
    runs = []
    async with client.animate(StreamOptions(encoding="f32", blinks=False, gaze=False, **fields)) as stream:

        async def send() -> None:
            for begin in range(0, samples.size, 1600):
                await stream.send(samples[begin : begin + 1600])
            await stream.finish()

        sending = asyncio.create_task(send())
        runs = [frames async for frames in stream]
        await sending
    return joined_frames(runs)


def apart(one: Frames, two: Frames) -> float:
    assert one.count == two.count
    return float(np.abs(one.weights - two.weights).mean())


async def test_models_tell_what_they_can_act(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (_, client):
        plain, acts = await client.models()
        assert plain.abilities is None
        assert (acts.name, acts.family, acts.latency_samples) == (ACTS, "deeptalk", 640 + 2 * 2560)
        assert acts.abilities is not None
        assert acts.abilities.presets == ("neutral", "happy", "sad")
        assert acts.abilities.speakers == ("first", "second", "third")
        assert (acts.abilities.emotion_width, acts.abilities.step_samples) == (WIDTH, 2560)


async def test_every_way_to_an_emotion_changes_the_face_live_and_in_a_clip(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (server, client):
        heard = await client.hear_emotion(babble(9, RATE_HZ, 1.5), sample_rate_hz=RATE_HZ)
        assert heard.width == WIDTH
        assert heard.log_variance is not None
        ways: dict[str, dict[str, Any]] = {
            "speech": {},
            "preset": {"emotion": "happy"},
            "vector": {"emotion": heard},
            "spread": {"emotion": heard, "emotion_spread": 3.0},
            "sampled": {"motion": Sampling(2.0, 2.0)},
            "speaker": {"speaker": "third"},
        }
        shown: list[dict[str, Frames]] = [{}, {}]
        for name, way in ways.items():
            shown[0][name] = await live(client, SPOKEN, model=ACTS, seed=4, **way)
            clip = await client.animate_clip(
                SPOKEN, model=ACTS, encoding="f32", seed=4, blinks=False, gaze=False, **way
            )
            shown[1][name] = clip.frames
        for frames in shown:
            for name in ways:
                others = [apart(frames[name], frames[other]) for other in ways if other != name]
                assert min(others) > 0.002, name
        named = await live(client, SPOKEN, model=ACTS, seed=4, emotion="speech", motion="likeliest", speaker="first")
        assert apart(named, shown[0]["speech"]) < 1e-6
        assert server.open_rows == 0


async def test_a_reference_clip_gives_what_its_speech_would(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (_, client):
        reference = np.concatenate((SPOKEN, np.zeros(2560 - SPOKEN.size % 2560, np.float32)))
        heard = await client.hear_emotion(reference, sample_rate_hz=RATE_HZ, model=ACTS, encoding="f32")
        expected = acting_pipeline.hear_emotion(reference[None])
        np.testing.assert_allclose(heard.mean, expected.mean, atol=1e-5)
        at_48 = np.interp(np.arange(0, SPOKEN.size, 1 / 3), np.arange(SPOKEN.size), SPOKEN).astype(np.float32)
        again = await client.hear_emotion(at_48, sample_rate_hz=48_000, encoding="f32")
        assert float(again.mean @ heard.mean) > 0.9


async def test_a_change_in_mid_stream_acts_from_its_step_on(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (_, client):
        plain = await live(client, SPOKEN, model=ACTS, emotion="neutral")
        runs = []
        options = StreamOptions(model=ACTS, encoding="f32", blinks=False, gaze=False, emotion="neutral")
        async with client.animate(options) as stream:
            await stream.send(SPOKEN[:8000])
            await stream.control(at_sample=12_000, emotion="happy", motion="likeliest")
            await stream.send(SPOKEN[8000:])
            await stream.finish()
            runs = [frames async for frames in stream]
        found = joined_frames(runs)
        begins = 12_800 * 30 // RATE_HZ  # the first multiple of 2560 behind 12,000
        np.testing.assert_allclose(found.weights[: begins - 1], plain.weights[: begins - 1], atol=1e-5)
        assert np.abs(found.weights[begins + 2 : 50] - plain.weights[begins + 2 : 50]).mean() > 0.003


def acting(**fields: Any) -> MotionControls:
    return MotionControls(acting=ActingControls(**fields))


def vector(*values: float, spread: tuple[float, ...] = ()) -> EmotionVector:
    return EmotionVector(mean=values, log_variance=spread)


WRONG: dict[str, tuple[MotionControls, str, str]] = {
    "preset that is none": (acting(preset="furious"), "preset", "got 'furious'; allowed: neutral, happy, sad"),
    "preset named speech": (acting(preset="speech"), "preset", "for the speech's own, set 'speech'"),
    "short vector": (acting(vector=vector(1, 2)), "vector.mean", "got 2 values; allowed: exactly 6"),
    "empty vector": (acting(vector=vector()), "vector.mean", "one vector"),
    "vector with NaN": (acting(vector=vector(*[1.0] * 5, float("nan"))), "vector.mean", "finite values"),
    "vector of zeros": (acting(vector=vector(*[0.0] * 6)), "vector.mean", "any length but zero"),
    "spread of a wrong size": (
        acting(vector=vector(*[1.0] * 6, spread=(1.0,))), "vector.log_variance", "6 values, as many as the mean",
    ),
    "spread that explodes": (
        acting(vector=vector(*[1.0] * 6, spread=(90.0,) * 6)), "vector.log_variance", "values from -20 to 20",
    ),
    "spread of a vector without": (
        acting(vector=vector(*[1.0] * 6), emotion_spread=1), "emotion_spread", "0 for an emotion whose",
    ),
    "negative spread": (acting(emotion_spread=-1), "emotion_spread", "a number from 0 to 4"),
    "spread that is no number": (acting(emotion_spread=float("nan")), "emotion_spread", "a number from 0 to 4"),
    "temperature 0": (acting(sampled=SampledMotion(tau_top=0)), "sampled.tau_top", "a number above 0, at most 10"),
    "negative temperature": (acting(sampled=SampledMotion(tau_bottom=-1)), "sampled.tau_bottom", "above 0"),
    "speaker that is none": (acting(speaker="nobody"), "speaker", "one of first, second, third"),
}  # fmt: skip


async def test_wrong_acting_is_refused_by_field_and_disturbs_nobody(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (server, client):
        beside = asyncio.create_task(live(client, SPOKEN[:8000], model=ACTS, seed=1))
        for case, (controls, field, said) in WRONG.items():
            first = await refusal_of(server.stub.Animate(), [config(model=ACTS, controls=controls)])
            later = await refusal_of(
                server.stub.Animate(),
                [config(model=ACTS), audio(SPOKEN[:1600]), AnimateRequest(control=Control(controls=controls))],
            )
            for refusal, place in ((first, "config.controls.acting"), (later, "control.controls.acting")):
                assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_VALUE"), case
                assert refusal.field == f"{place}.{field}", case
                assert said in refusal.message, case
        assert apart(await beside, await live(client, SPOKEN[:8000], model=ACTS, seed=1)) < 1e-6
        await until(lambda: server.open_rows == 0)


@pytest.mark.parametrize("controls", [acting(preset="happy"), acting(speech=SpeechEmotion()), acting(emotion_spread=0)])
async def test_a_model_without_emotion_says_what_it_has(acting_pipeline: Pipeline, controls: MotionControls) -> None:
    async with both(acting_pipeline) as (server, _):
        refusal = await refusal_of(server.stub.Animate(), [config(controls=controls)])
        assert (refusal.code, refusal.field) == (Code.INVALID_ARGUMENT, "config.controls.acting")
        assert "its controls are mouth_strength, blinks and gaze" in refusal.message
        later = [config(), audio(SPOKEN[:1600]), AnimateRequest(control=Control(controls=controls))]
        assert (await refusal_of(server.stub.Animate(), later)).field == "control.controls.acting"


async def test_a_reference_that_can_not_be_heard_is_named(acting_pipeline: Pipeline) -> None:
    async with both(acting_pipeline) as (server, client):
        for samples, said in (
            (np.zeros(RATE_HZ, np.float32), r"audio: got silence \(RMS 0 of full scale\); allowed: speech, an RMS of"),
            (SPOKEN[:3000], r"audio: got 0\.19 s; allowed: 0\.5 to 60 s of speech"),
            (np.zeros(0, np.float32), r"audio: got 0\.00 s"),
            (np.tile(SPOKEN, 31), r"audio: got more than 60 s; allowed: at most 60 s"),
        ):
            with pytest.raises(AudioError, match=said):
                await client.hear_emotion(samples, sample_rate_hz=RATE_HZ, encoding="f32")
        with pytest.raises(AudioError, match=r"audio\.data: got .*"):
            await client.hear_emotion(b"not audio at all, and odd", sample_rate_hz=RATE_HZ)
        spoilt = SPOKEN.copy()
        spoilt[9] = np.nan
        with pytest.raises(AudioError, match=r"audio\.data"):
            await client.hear_emotion(spoilt, sample_rate_hz=RATE_HZ, encoding="f32")
        with pytest.raises(InvalidValue, match=r"config\.model: got 'synthetic'; allowed: tiny-deeptalk"):
            await client.hear_emotion(SPOKEN, sample_rate_hz=RATE_HZ, model="synthetic")
        with pytest.raises(NotFound, match="no model named 'nobody'"):
            await client.hear_emotion(SPOKEN, sample_rate_hz=RATE_HZ, model="nobody")
        assert server.server.host.admission.live_count == 0

        form = AudioFormat(encoding=AudioEncoding.AUDIO_ENCODING_F32LE, sample_rate_hz=RATE_HZ)
        hearer = HearEmotionRequest(config=HearEmotionConfig(audio_format=form))
        late = audio(SPOKEN[:100], first_sample=7).audio
        for requests, field in (
            ([HearEmotionRequest(config=HearEmotionConfig())], "config.audio_format.encoding"),
            ([hearer, HearEmotionRequest(audio=late)], "audio.first_sample"),
            ([HearEmotionRequest(audio=audio(SPOKEN[:100]).audio)], None),
            ([hearer, hearer], None),
        ):
            with pytest.raises(FacestreamError) as refused:
                await _hear(server, requests)
            assert refused.value.code == ("INVALID_ARGUMENT" if field else "FAILED_PRECONDITION")
            assert refused.value.field == field


async def _hear(server: Loopback, requests: list[HearEmotionRequest]) -> None:
    try:
        await server.stub.HearEmotion(iter(requests))
    except grpc.aio.AioRpcError as error:
        raise error_of(error, "the server under test") from None


async def test_clips_are_heard_to_their_end_while_live_streams_go_on(acting_pipeline: Pipeline) -> None:
    samples = np.tile(SPOKEN, 6)
    async with both(acting_pipeline, max_clips=2) as (server, client):
        names = [(pipeline.model.name, whole) for pipeline, whole in server.server.host._lanes]
        assert names == [("synthetic", False), (ACTS, False), (ACTS, True)]
        clip, plain, acted = await asyncio.gather(
            client.animate_clip(samples, model=ACTS, encoding="f32", emotion="sad"),
            live(client, SPOKEN),
            live(client, SPOKEN, model=ACTS),
        )
        assert clip.frames.count == clip.info.clock.frames_until(samples.size + 4800)
        assert plain.count == acted.count
        assert server.open_rows == 0


async def test_an_emotion_survives_its_file(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    emotion = Emotion(random.standard_normal(8).astype(np.float32), random.standard_normal(8).astype(np.float32))
    emotion.save(tmp_path / "both.npz")
    Emotion(emotion.mean).save(tmp_path / "mean.npz")
    np.save(tmp_path / "mean.npy", emotion.mean)
    np.save(tmp_path / "both.npy", np.stack([emotion.mean, emotion.log_variance]))  # type: ignore[list-item]
    for name in ("both.npz", "mean.npz", "mean.npy", "both.npy"):
        found = Emotion.load(tmp_path / name)
        np.testing.assert_allclose(found.mean, emotion.mean, atol=1e-6)
        assert (found.log_variance is None) == name.startswith("mean")
    np.save(tmp_path / "three.npy", np.ones((3, 8)))
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}]), allow_pickle=True)
    (tmp_path / "text.npz").write_text("no vectors")
    for name in ("three.npy", "pickle.npy", "text.npz", "missing.npz"):
        with pytest.raises(InvalidValue, match=f"emotion: got .*{name}"):
            Emotion.load(tmp_path / name)
