"""Styles over a real connection: a live model and one with styles, side by side."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest

from facestream.client import AsyncClient, StreamOptions
from facestream.errors import InvalidValue
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.style import Style
from facestream.styling import StyleBlend, StylingChange
from facestream.transports.server import Server
from facestream.types import Float32, Frames, joined_frames
from facestream.v1.acting_pb2 import ActingControls, NoStyle, StyleControls, StyleSource
from facestream.v1.acting_pb2 import StyleBlend as WireBlend
from facestream.v1.animation_service_pb2 import AnimateRequest
from facestream.v1.config_pb2 import MotionControls
from facestream.v1.control_pb2 import Control
from tests.diffposetalk.tiny_bundle import NAME, STYLE_WIDTH, STYLES, tiny_folder
from tests.serving.streams import babble
from tests.transports.loopback import RATE_HZ, Loopback, audio, config, settings, synthetic_pipeline, until
from tests.transports.test_errors import Code, refusal_of

pytestmark = pytest.mark.asyncio

SPOKEN = babble(2, RATE_HZ, 1.6)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline(str(tiny_folder()))


@pytest.fixture(scope="module")
def calm(pipeline: Pipeline) -> Style:
    abilities = pipeline.model.abilities
    assert abilities is not None
    assert abilities.styling is not None
    return abilities.styling.styles["calm"]


@contextlib.asynccontextmanager
async def both(styled: Pipeline) -> AsyncIterator[tuple[Loopback, AsyncClient]]:
    async with (
        Server(settings(), load=lambda: [synthetic_pipeline(), styled]) as server,
        grpc.aio.insecure_channel(server.address) as channel,
        AsyncClient(server.address) as client,
    ):
        yield Loopback(server, channel), client


async def live(client: AsyncClient, change: StylingChange | None, later: StylingChange | None = None) -> Frames:
    options = StreamOptions(model=NAME, encoding="f32", blinks=False, gaze=False, seed=4, styling=change)
    async with client.animate(options) as stream:

        async def send() -> None:
            await stream.send(SPOKEN[:8000])
            if later is not None:
                await stream.control(at_sample=12_000, styling=later)
            await stream.send(SPOKEN[8000:])
            await stream.finish()

        sending = asyncio.create_task(send())
        runs = [frames async for frames in stream]
        await sending
    return joined_frames(runs)


def shown(frames: Frames) -> Float32:
    assert frames.pose is not None
    return np.concatenate([frames.weights, frames.pose.head], axis=1)


async def test_models_tell_what_they_can_be_styled_with(pipeline: Pipeline, calm: Style) -> None:
    async with both(pipeline) as (_, client):
        _, styled = await client.models()
        assert styled.abilities is not None
        told = styled.abilities.styling
        assert told is not None
        assert (styled.family, styled.abilities.emotion_width, styled.latency_samples) == ("diffposetalk", 0, 3 * 640)
        assert (told.styles, told.digest, told.style_width) == (STYLES, calm.digest, STYLE_WIDTH)
        assert (told.sampler, told.steps, told.most_steps, told.moves_head) == ("dpm-solver++", 3, 500, True)
        with pytest.raises(InvalidValue, match="none: no model of this server has emotions"):
            await client.hear_emotion(SPOKEN, sample_rate_hz=RATE_HZ)


async def test_every_way_to_a_style_shows_live_and_in_a_clip(pipeline: Pipeline, calm: Style) -> None:
    ways: dict[str, StylingChange] = {
        "none": StylingChange(),
        "name": StylingChange(style="lively"),
        "file": StylingChange(style=calm),
        "blend": StylingChange(style=StyleBlend(calm, "lively", 0.4), strength=2.0),
        "head": StylingChange(style="lively", head_amount=0.0),
        "steps": StylingChange(steps=1, audio_scale=2.0, style_scale=3.0, guidance="independent", sampler="ddim"),
    }
    async with both(pipeline) as (server, client):
        for is_clip in (False, True):
            found = {}
            for name, way in ways.items():
                if is_clip:
                    clip = await client.animate_clip(
                        SPOKEN, model=NAME, encoding="f32", seed=4, blinks=False, gaze=False, styling=way
                    )
                    found[name] = shown(clip.frames)
                else:
                    found[name] = shown(await live(client, way))
            for name in ways:
                others = [np.abs(found[name] - found[other]).mean() for other in ways if other != name]
                assert min(others) > 1e-4, name
            np.testing.assert_array_equal(found["head"][:, 52:55], 0.0)
        named = shown(await live(client, StylingChange(style="calm")))
        np.testing.assert_allclose(named, shown(await live(client, ways["file"])), atol=1e-6)
        assert server.open_rows == 0


async def test_a_change_in_mid_stream_acts_from_its_step_on(pipeline: Pipeline) -> None:
    async with both(pipeline) as (_, client):
        plain = shown(await live(client, StylingChange(style="calm")))
        found = shown(await live(client, StylingChange(style="calm"), StylingChange(style="stern", strength=2.0)))
        begins = 12_800 * 30 // RATE_HZ  # the first multiple of 2560 behind 12,000
        np.testing.assert_allclose(found[: begins - 1], plain[: begins - 1], atol=1e-5)
        assert np.abs(found[begins + 2 : 46] - plain[begins + 2 : 46]).mean() > 1e-3


def styling(**fields: Any) -> MotionControls:
    return MotionControls(acting=ActingControls(styling=StyleControls(**fields)))


OTHERS = Style(np.ones(STYLE_WIDTH, np.float32), "other-model", "cd" * 32).to_bytes()
BLEND = WireBlend(first=StyleSource(name="calm"), second=StyleSource(name="calm"), share=1.5)
WRONG: dict[str, tuple[MotionControls, str, str]] = {
    "unknown name": (styling(name="loud"), "styling.name", "got 'loud'; allowed: calm, lively, stern"),
    "name of nobody's": (styling(name="none"), "styling.name", "for nobody's, set 'none'"),
    "another model's": (styling(file=OTHERS), "styling.file", "a style of other-model cdcdcdcdcdcd; allowed: styles"),
    "no style file": (styling(file=b"RIFF"), "styling.file", "allowed: a .style file"),
    "half a blend": (styling(blend=WireBlend(first=StyleSource(name="calm"))), "styling.name", "a name or a file for"),
    "share": (styling(blend=BLEND), "styling.blend.share", "a number from 0 to 1"),
    "strength": (styling(strength=-1), "styling.strength", "a number from 0 to 2"),
    "strength times scale": (
        styling(strength=2, style_scale=8), "styling.strength", "0 to 1.25 with a style_scale of 8",
    ),
    "head": (styling(head_amount=float("nan")), "styling.head_amount", "a number from 0 to 2"),
    "no steps": (styling(steps=0), "styling.steps", "got 0; allowed: 1 to 500"),
    "steps": (styling(steps=501), "styling.steps", "got 501; allowed: 1 to 500"),
    "sampler": (styling(sampler="euler"), "styling.sampler", "one of ddpm, ddim, dpm-solver++"),
    "audio scale": (styling(audio_scale=10.5), "styling.audio_scale", "a number from 0 to 10"),
    "style scale": (styling(style_scale=-0.5), "styling.style_scale", "a number from 0 to 10"),
    "guidance": (styling(guidance=7), "styling.guidance", "GUIDANCE_MODE_INCREMENTAL (1) or"),  # type: ignore[arg-type]
}  # fmt: skip


async def test_wrong_styling_is_refused_by_field_and_disturbs_nobody(pipeline: Pipeline) -> None:
    async with both(pipeline) as (server, client):
        beside = asyncio.create_task(live(client, None))
        for case, (controls, field, said) in WRONG.items():
            first = await refusal_of(server.stub.Animate(), [config(model=NAME, controls=controls)])
            later = await refusal_of(
                server.stub.Animate(),
                [config(model=NAME), audio(SPOKEN[:1600]), AnimateRequest(control=Control(controls=controls))],
            )
            for refusal, place in ((first, "config.controls.acting"), (later, "control.controls.acting")):
                assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_VALUE"), case
                assert refusal.field == f"{place}.{field}", case
                assert said in refusal.message, case
        np.testing.assert_allclose(shown(await beside), shown(await live(client, None)), atol=1e-6)
        await until(lambda: server.open_rows == 0)


async def test_models_without_styles_and_styles_without_emotions_say_so(pipeline: Pipeline) -> None:
    async with both(pipeline) as (server, _):
        controls = styling(none=NoStyle())
        refusal = await refusal_of(server.stub.Animate(), [config(controls=controls)])
        assert (refusal.code, refusal.field) == (Code.INVALID_ARGUMENT, "config.controls.acting")
        emotional = MotionControls(acting=ActingControls(preset="happy"))
        refusal = await refusal_of(server.stub.Animate(), [config(model=NAME, controls=emotional)])
        assert refusal.field == "config.controls.acting"
        assert "this model has styles, no emotions" in refusal.message
