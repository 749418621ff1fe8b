"""Promises of the diffusion family, on a model in miniature through the real exporter."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.acting import ActingChange
from facestream.errors import EngineError, InvalidValue
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion, Pace
from facestream.motion.diffposetalk.streamers import ClipStreamer
from facestream.polish.options import PolishOptions
from facestream.serving.animator import Animator
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.styling import NO_STYLE, StyleBlend, StylingChange
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32, Frames, joined_frames
from tests.diffposetalk.tiny_bundle import PIECES, SHAPE, tiny_folder
from tests.serving.streams import animated, animated_together, babble, drain

STILL = PolishOptions(blinks=False, gaze=False)
HOP = PIECES.hop_frames * 640
FRAMES_25 = FrameRate(25)


def styled(**values: Any) -> ActingChange:
    return ActingChange(styling=StylingChange(**values))


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline(str(tiny_folder()))


@pytest.fixture(scope="module")
def still() -> Pipeline:
    return open_pipeline(str(tiny_folder(head_rotation=False)))


def shown(frames: Frames) -> Float32:
    """Weights and head rotation [F, 56]."""
    assert frames.pose is not None
    return np.concatenate([frames.weights, frames.pose.head], axis=1)


def head(frames: Frames) -> Float32:
    assert frames.pose is not None
    return frames.pose.head


def made(pipeline: Pipeline, samples: Float32, *, is_clip: bool, **options: Any) -> Frames:
    wanted = StreamOptions(polish=STILL, **options)
    return animate(samples, wanted, pipeline) if is_clip else animated(pipeline, samples, wanted)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate_hz=st.sampled_from([8000, 16000, 44100]),
    frame_rate=st.sampled_from([FrameRate(24), FrameRate(30), FrameRate(60)]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    seed=st.integers(0, 2**64 - 1),
    acting=st.sampled_from([None, styled(style="calm", steps=2), styled(sampler="ddpm", steps=2)]),
    is_clip=st.booleans(),
)
def test_any_cut_gives_the_same_frames_on_the_clock(
    pipeline: Pipeline,
    rate_hz: int,
    frame_rate: FrameRate,
    cuts: list[float],
    seed: int,
    acting: ActingChange | None,
    is_clip: bool,
) -> None:
    samples = babble(seed % 97, rate_hz, 1.9)
    options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=frame_rate, seed=seed, acting=acting)
    stream = pipeline.open(options, is_clip=is_clip)
    runs = []
    for piece in np.split(samples, sorted(round(cut * samples.size) for cut in cuts)):
        stream.push(piece)
        runs += drain(pipeline, stream, 3)
    stream.finish()
    runs += drain(pipeline, stream, 3)
    found = joined_frames(runs)
    stream.close()
    expected = animate(samples, options, pipeline) if is_clip else animated(pipeline, samples, options, max_hops=8)
    assert found.count == FrameClock(frame_rate, rate_hz).frames_until(samples.size + 300 * rate_hz // 1000)
    np.testing.assert_allclose(shown(found), shown(expected), atol=1e-5)
    assert (found.weights[-1] == 0).all()
    np.testing.assert_array_equal(head(found)[-1], [0, 0, 0, 1])
    assert pipeline.open_count == 0


def test_streams_of_every_age_and_style_never_disturb_each_other(pipeline: Pipeline) -> None:
    audio = [babble(seed, 16000, 1.0 + 0.3 * seed) for seed in range(4)]
    acting = [None, styled(style="lively"), styled(style="calm", steps=2, head_amount=0.0), styled(audio_scale=1.0)]
    all_options = [StreamOptions(seed=seed, acting=acting[seed]) for seed in range(4)]
    for seed, found in enumerate(animated_together(pipeline, audio, all_options)):
        alone = animated(pipeline, audio[seed], all_options[seed])
        np.testing.assert_allclose(shown(found), shown(alone), atol=2e-5)


@pytest.mark.parametrize("is_clip", [False, True])
def test_style_sound_and_seed_all_show(pipeline: Pipeline, is_clip: bool) -> None:
    samples = babble(3, 16000, 0.8)

    def frames(samples: Float32 = samples, seed: int = 1, **values: Any) -> Float32:
        return shown(made(pipeline, samples, is_clip=is_clip, seed=seed, acting=styled(**values)))

    calm = frames(style="calm")
    np.testing.assert_array_equal(calm, frames(style="calm"))
    for other in (
        frames(style="lively"),
        frames(),
        frames(babble(4, 16000, 0.8), style="calm"),
        frames(style="calm", seed=2),
        frames(style="calm", strength=2.0),
        frames(style="calm", audio_scale=3.0),
        frames(style="calm", steps=1),
        frames(style="calm", sampler="ddpm"),
        frames(style="calm", guidance="independent"),
    ):
        assert np.abs(other - calm).mean() > 3e-4
    np.testing.assert_array_equal(frames(style="calm", strength=0.0), frames(style=NO_STYLE))
    np.testing.assert_allclose(frames(style=StyleBlend("calm", "lively", 0.0)), calm, atol=1e-5)
    between = frames(style=StyleBlend("calm", "lively", 0.5))
    assert 1e-4 < np.abs(between - calm).mean() < np.abs(frames(style="lively") - calm).mean()


@pytest.mark.parametrize("is_clip", [False, True])
def test_the_head_is_off_on_or_in_between(pipeline: Pipeline, still: Pipeline, is_clip: bool) -> None:
    samples = babble(5, 16000, 1.6)

    def turned(amount: float) -> Float32:
        return head(made(pipeline, samples, is_clip=is_clip, seed=1, acting=styled(head_amount=amount)))

    whole = turned(1.0)
    angle = 2 * np.arccos(np.clip(whole[:, 3], -1, 1))
    assert angle.max() > 0.02
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(turned(0.0)[:, :3], 0.0)
    half = 2 * np.arccos(np.clip(turned(0.5)[:, 3], -1, 1))
    np.testing.assert_allclose(half, 0.5 * angle, atol=2e-3)
    np.testing.assert_array_equal(head(made(still, samples, is_clip=is_clip))[:, :3], 0.0)
    with pytest.raises(InvalidValue, match="this model does not move the head"):
        made(still, samples, is_clip=is_clip, acting=styled(head_amount=0.5))


def test_a_new_amount_of_head_is_reached_within_a_step(pipeline: Pipeline) -> None:
    samples = babble(5, 16000, 2.4)
    stream = pipeline.open(StreamOptions(frame_rate=FRAMES_25, polish=STILL))
    stream.act(styled(head_amount=0.0), 10 * HOP)
    stream.push(samples)
    stream.finish()
    found = head(joined_frames(drain(pipeline, stream, 4)))[:, :3]
    stream.close()
    whole = head(made(pipeline, samples, is_clip=False, frame_rate=FRAMES_25))[:, :3]
    np.testing.assert_array_equal(found[:40], whole[:40])
    np.testing.assert_array_equal(found[43:], 0.0)
    ratio = np.linalg.norm(found[40:43], axis=1) / np.linalg.norm(whole[40:43], axis=1)
    np.testing.assert_allclose(ratio, [0.75, 0.5, 0.25], atol=0.01)


def seams(frames: Float32, borders: list[int], usual: Float32) -> tuple[float, float]:
    """Largest change from frame to frame where windows meet, and the 99th percentile of `usual`'s."""
    steps = np.abs(np.diff(frames, axis=0)).max(axis=1)
    at = [border - 1 for border in borders if border < len(frames)]
    return float(steps[at].max()), float(np.quantile(np.abs(np.diff(usual, axis=0)).max(axis=1), 0.99))


def clip_borders(pipeline: Pipeline, frames: int) -> list[int]:
    whole = pipeline.source.whole_clips
    assert whole is not None
    streamer = whole.streamer
    assert isinstance(streamer, ClipStreamer)
    first, each = streamer.first_hops * PIECES.hop_frames, streamer.window_hops * PIECES.hop_frames
    return list(range(first, frames, each))


@pytest.mark.parametrize("is_clip", [False, True])
def test_windows_meet_without_a_jump(pipeline: Pipeline, is_clip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = babble(7, 16000, 6.0)
    borders = clip_borders(pipeline, 150) if is_clip else list(range(PIECES.hop_frames, 150, PIECES.hop_frames))

    def motion() -> Float32:
        # in few steps these networks hardly mind the noise, and any two windows meet
        options = StreamOptions(frame_rate=FRAMES_25, polish=STILL, acting=styled(steps=8))
        stream = pipeline.open(options, is_clip=is_clip)
        rows: list[Float32] = []
        finish = Animator._finish

        def noting(animator: Animator, numbers: Any, output: Any, plan: Any) -> Any:
            rows.append(output.motion[0])
            return finish(animator, numbers, output, plan)

        with monkeypatch.context() as patch:
            patch.setattr(Animator, "_finish", noting)
            stream.push(samples)
            stream.finish()
            drain(pipeline, stream, 4)
        stream.close()
        return np.concatenate(rows)[:150]

    found = motion()
    jump, usual = seams(found, borders, found)
    # the control: nothing is kept of what was expected, and nothing put back
    with monkeypatch.context() as patch:
        patch.setattr(DiffPoseTalkMotion, "_expect", lambda self, ahead, state: None)
        make = DiffPoseTalkMotion.make
        patch.setattr(DiffPoseTalkMotion, "make", lambda *a, count, is_live: make(*a, count=count, is_live=False))
        apart, _ = seams(motion(), borders, found)
    assert jump <= usual
    assert apart > jump


def test_the_announced_latency_is_never_exceeded(pipeline: Pipeline) -> None:
    for rate_hz, frame_rate in ((16000, FrameRate(30)), (44100, FrameRate(60)), (8000, FrameRate(24))):
        stream = pipeline.open(StreamOptions(sample_rate_hz=rate_hz, frame_rate=frame_rate))
        assert 0.08 * rate_hz < stream.latency_samples < 0.29 * rate_hz
        for _ in range(20):
            stream.push(np.zeros(rate_hz // 25, np.float32))
            drain(pipeline, stream)
            next_sample = stream.clock.sample_of(stream.next_frame_index)
            assert stream.received_samples <= next_sample + stream.latency_samples
            assert next_sample <= stream.received_samples
        stream.close()


@pytest.mark.parametrize("at", [0, 1, 2560, 17_000])
@pytest.mark.parametrize("is_clip", [False, True])
def test_a_change_of_style_acts_from_its_step_on(pipeline: Pipeline, at: int, is_clip: bool) -> None:
    samples = babble(8, 16000, 2.4)
    plain = made(pipeline, samples, is_clip=is_clip, acting=styled(style="calm"))
    stream = pipeline.open(StreamOptions(polish=STILL, acting=styled(style="calm")), is_clip=is_clip)
    stream.push(samples[:at])
    stream.act(styled(style="stern", strength=2.0), at)
    runs = drain(pipeline, stream, 4)
    stream.push(samples[at:])
    stream.finish()
    found = joined_frames(runs + drain(pipeline, stream, 4))
    stream.close()
    begins = FrameClock(FrameRate(30), 16000).frames_until(-(-at // HOP) * HOP)
    same = max(begins - 1, 0)  # a frame between two rows of motion takes a share of the next one
    np.testing.assert_allclose(shown(found)[:same], shown(plain)[:same], atol=1e-5)
    assert np.abs(shown(found)[begins + 2 : -9] - shown(plain)[begins + 2 : -9]).mean() > 1e-3


def test_a_clip_begins_before_all_of_it_is_there(pipeline: Pipeline) -> None:
    stream = pipeline.open(StreamOptions(), is_clip=True)
    whole = pipeline.source.whole_clips
    assert whole is not None
    first = whole.next_part(0, None, None)
    stream.push(np.zeros(first.reads_to * HOP, np.float32))
    assert first.reads_to < SHAPE.window // PIECES.hop_frames + 1
    assert joined_frames(drain(pipeline, stream, 8)).count > 10
    stream.close()


def test_more_steps_than_there_is_time_for_are_refused_live_and_in_recordings() -> None:
    pipeline = open_pipeline(str(tiny_folder()))
    assert isinstance(pipeline.source, DiffPoseTalkMotion)
    pipeline.open(StreamOptions(acting=styled(steps=500))).close()  # nothing is known before it is warm
    pipeline.warm_up()
    stream = pipeline.open(StreamOptions())
    pipeline.source.pace = Pace(evaluation_s=0.01, stride_s=0.01, beside_s=0.02)
    for steps, scales, said in (
        (8, {}, "allowed: 1 to 7 live on this machine, where one takes 20 ms in 2 branches"),
        (15, {"audio_scale": 1.0}, "1 to 14 live on this machine, where one takes 10 ms in 1 branches"),
        (5, {"style": "calm"}, "1 to 4 live"),
    ):
        with pytest.raises(InvalidValue, match=f"styling.steps: got {steps}; .*{said}"):
            stream.act(styled(steps=steps, **scales), 0)
        with pytest.raises(InvalidValue, match=said):
            pipeline.open(StreamOptions(acting=styled(steps=steps, **scales)))
        pipeline.open(StreamOptions(acting=styled(steps=steps - 1, **scales))).close()
        pipeline.open(StreamOptions(acting=styled(steps=500, **scales)), is_clip=True).close()
    pipeline.source.pace = Pace(evaluation_s=0.1, stride_s=0.1, beside_s=0.02)
    with pytest.raises(InvalidValue, match=r"steps: got 3; allowed: none live.*send recordings \(AnimateClip\)"):
        pipeline.open(StreamOptions())
    with pytest.raises(InvalidValue, match="steps: got 500; allowed: 1 to 99 in a recording"):
        pipeline.open(StreamOptions(acting=styled(steps=500)), is_clip=True)
    stream.close()
    assert pipeline.open_count == 0


def test_a_failing_step_costs_its_streams_and_no_others(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = babble(1, 16000, 1.0)
    first, second, third = (pipeline.open(StreamOptions()) for _ in range(3))
    for stream in (first, second, third):
        stream.push(samples)
    graphs = pipeline.source._graphs  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(graphs, "remember", lambda *given: (_ for _ in ()).throw(EngineError("no memory")))
        (lost,) = pipeline.advance([first])
    assert isinstance(lost, EngineError)
    guess = graphs.guess

    def spoilt(*given: Any) -> Float32:
        found: Float32 = guess(*given)
        found[0] = np.nan
        return found

    with monkeypatch.context() as broken:
        broken.setattr(graphs, "guess", spoilt)
        results = pipeline.advance([second, third])
    assert isinstance(results[0], EngineError)
    assert isinstance(results[1], Frames)
    (frames,) = pipeline.advance([third])
    assert isinstance(frames, Frames)
    for stream in (first, second, third):
        stream.close()
