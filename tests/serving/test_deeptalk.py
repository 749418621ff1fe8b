"""Promises of the windowed family, on the small seeded model."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.acting import SPEECH, Acting, ActingChange, Emotion, Sampling
from facestream.curves import INDEX
from facestream.engines.base import BatchState
from facestream.engines.bundle import Bundle
from facestream.engines.deeptalk import DeepTalkGraphs, Words
from facestream.errors import EngineError, InvalidValue
from facestream.motion import deeptalk as source
from facestream.motion.deeptalk import DeepTalkMotion
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32, Frames, joined_frames
from tests.engines.tiny_deeptalk import CODE, WIDTH, write_tiny_deeptalk
from tests.serving.streams import animated, animated_together, babble, drain

STILL = PolishOptions(blinks=False, gaze=False)
SAMPLED = ActingChange(codes=Sampling())


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return open_pipeline(str(write_tiny_deeptalk(tmp_path_factory.mktemp("deeptalk"))))


@pytest.fixture(scope="module", params=["hop by hop", "window by window"])
def graphs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> DeepTalkGraphs:
    folder = tmp_path_factory.mktemp("graphs")
    return DeepTalkGraphs(Bundle.open(write_tiny_deeptalk(folder, hears_hops=request.param == "hop by hop")))


def change(value: Float32, other: Float32) -> float:
    return float(np.abs(value - other).mean())


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate_hz=st.sampled_from([8000, 16000, 44100, 48000]),
    frame_rate=st.sampled_from([FrameRate(24), FrameRate(30), FrameRate(60)]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    max_hops=st.sampled_from([1, 2, 8]),
    seed=st.integers(0, 2**64 - 1),
    acting=st.sampled_from([None, SAMPLED, ActingChange(emotion="sad", spread=1.0)]),
)
def test_any_cut_gives_the_same_frames_on_the_clock(
    pipeline: Pipeline,
    rate_hz: int,
    frame_rate: FrameRate,
    cuts: list[float],
    max_hops: int,
    seed: int,
    acting: ActingChange | None,
) -> None:
    samples = babble(seed % 97, rate_hz, 1.3)
    options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=frame_rate, seed=seed, acting=acting)
    places = sorted(round(cut * samples.size) for cut in cuts)
    found = animated(pipeline, samples, options, places, max_hops)
    expected = animated(pipeline, samples, options, max_hops=8)
    tail = 300 * rate_hz // 1000
    assert found.count == FrameClock(frame_rate, rate_hz).frames_until(samples.size + tail)
    assert found.first_index == 0
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-5)
    assert (found.weights[-1] == 0).all()
    assert pipeline.open_count == 0


def test_streams_of_every_age_in_one_batch_never_disturb_each_other(pipeline: Pipeline) -> None:
    audio = [babble(seed, 16000, 1.5 + 0.4 * seed) for seed in range(5)]
    acting = [None, SAMPLED, ActingChange(emotion="happy"), ActingChange(spread=2.0), ActingChange(speaker="third")]
    all_options = [StreamOptions(seed=seed, acting=acting[seed]) for seed in range(5)]
    for seed, found in enumerate(animated_together(pipeline, audio, all_options)):
        alone = animated(pipeline, audio[seed], all_options[seed])
        np.testing.assert_allclose(found.weights, alone.weights, atol=1e-5)


@pytest.mark.parametrize("is_clip", [False, True])
def test_seeds_matter_when_sampling_and_only_then(pipeline: Pipeline, is_clip: bool) -> None:
    samples = babble(3, 16000, 2.0)

    def weights(seed: int, acting: ActingChange | None) -> Float32:
        options = StreamOptions(seed=seed, polish=STILL, acting=acting)
        return (animate(samples, options, pipeline) if is_clip else animated(pipeline, samples, options)).weights

    np.testing.assert_array_equal(weights(1, None), weights(2, None))
    np.testing.assert_array_equal(weights(1, SAMPLED), weights(1, SAMPLED))
    assert change(weights(1, SAMPLED), weights(2, SAMPLED)) > 0.003
    assert change(weights(1, SAMPLED), weights(1, None)) > 0.003
    wide = ActingChange(spread=3.0)
    np.testing.assert_array_equal(weights(1, wide), weights(1, wide))
    assert change(weights(1, wide), weights(2, wide)) > 0.003
    nearly = ActingChange(codes=Sampling(1e-6, 1e-6))
    np.testing.assert_allclose(weights(1, nearly), weights(2, nearly), atol=1e-5)


def fresh_state(motion: DeepTalkMotion, acting: Acting) -> dict[str, Any]:
    """State of one stream, seed 9, that is acted so."""
    row = {**motion.fresh_row(9, 0), **motion.acting_row(acting)}
    return {
        name: np.array([np.broadcast_to(row.get(name, 0), shape)], dtype)
        for name, (shape, dtype) in motion.columns.items()
    }


def codes_of_windows(graphs: DeepTalkGraphs, samples: Float32, monkeypatch: pytest.MonkeyPatch) -> list[dict[int, int]]:
    """Top codes of every live window by their absolute place, of a sampled stream."""
    motion = DeepTalkMotion(graphs)
    state = fresh_state(motion, Acting(sampling=Sampling(3.0, 3.0)))
    taken: list[dict[int, int]] = []
    move = graphs.move

    def noting(speech, emotion, speaker, top_noise, bottom_noise):  # type: ignore[no-untyped-def]
        moved = move(speech, emotion, speaker, top_noise, bottom_noise)
        codes = (moved.top + top_noise)[0].argmax(axis=1).tolist()
        first = int(state[source.CODE][0]) - (len(codes) - 3)
        taken.append({first + place: code for place, code in enumerate(codes)})
        return moved

    monkeypatch.setattr(graphs, "move", noting)
    past = -motion.live_streamer.first_sample_for(0)
    padded = np.concatenate((np.zeros(past, np.float32), samples))
    window = past + motion.live_streamer.samples_for(1)
    for begin in range(0, padded.size - window + 1, CODE):
        state = dict(motion.step(padded[None, begin : begin + window], state).next_state)
    return taken


def agreement(windows: Sequence[dict[int, int]], *, spoken: bool) -> float:
    """Share of codes that a window and the one after it take alike: those already given out, or those to come."""
    equal = []
    for one, two in pairwise(windows):
        border = max(one) - 2  # the code that the first of them gave out
        shared = [place for place in one if place in two and (place <= border) is spoken]
        equal += [one[place] == two[place] for place in shared]
    return float(np.mean(equal))


def test_windows_that_overlap_agree_on_codes(graphs: DeepTalkGraphs, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = babble(4, 16000, 12.0)
    windows = codes_of_windows(graphs, samples, monkeypatch)
    assert agreement(windows, spoken=True) == 1.0
    assert agreement(windows, spoken=False) > 0.5
    # the control: where noise follows the window and not the code, the future is thought of anew each time
    true = source.code_noise.gumbel

    def by_window(seeds, level, first, count, codes):  # type: ignore[no-untyped-def]
        return true(seeds + first.astype(np.uint64), level, np.zeros_like(first), count, codes)

    monkeypatch.setattr(source.code_noise, "gumbel", by_window)
    assert agreement(codes_of_windows(graphs, samples, monkeypatch), spoken=False) < 0.4


def test_the_announced_latency_is_never_exceeded(pipeline: Pipeline) -> None:
    for rate_hz, frame_rate in ((16000, FrameRate(30)), (44100, FrameRate(60)), (8000, FrameRate(24))):
        stream = pipeline.open(StreamOptions(sample_rate_hz=rate_hz, frame_rate=frame_rate))
        assert 0.32 * rate_hz < stream.latency_samples < 0.53 * rate_hz
        for _ in range(30):
            stream.push(np.zeros(rate_hz // 25, np.float32))
            drain(pipeline, stream)
            next_sample = stream.clock.sample_of(stream.next_frame_index)
            assert stream.received_samples <= next_sample + stream.latency_samples
            assert next_sample <= stream.received_samples
        stream.close()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 40_000), is_clip=st.booleans(), early=st.booleans())
def test_a_change_of_emotion_acts_on_the_first_code_behind_its_sample(
    pipeline: Pipeline, at: int, is_clip: bool, early: bool
) -> None:
    samples = babble(8, 16000, 3.0)
    options = StreamOptions(polish=STILL, acting=ActingChange(emotion="neutral"))
    plain = animate(samples, options, pipeline) if is_clip else animated(pipeline, samples, options)
    stream = pipeline.open(options, is_clip=is_clip)
    if early:
        stream.act(ActingChange(emotion="happy"), at)
    stream.push(samples[:at])
    stream.act(ActingChange(emotion="happy"), at)
    runs = drain(pipeline, stream, 4)
    stream.push(samples[at:])
    stream.finish()
    found = joined_frames(runs + drain(pipeline, stream, 4))
    stream.close()
    begins = FrameClock(FrameRate(30), 16000).frames_until(-(-at // CODE) * CODE)
    same = max(begins - 1, 0)  # a frame between two rows of motion takes a share of the next one
    np.testing.assert_allclose(found.weights[:same], plain.weights[:same], atol=1e-5)
    assert change(found.weights[begins + 2 : -9], plain.weights[begins + 2 : -9]) > 0.003


def test_the_speech_is_followed_again_after_a_given_emotion(pipeline: Pipeline) -> None:
    samples = babble(5, 16000, 6.0)
    plain = animated(pipeline, samples, StreamOptions(polish=STILL))
    stream = pipeline.open(StreamOptions(polish=STILL))
    stream.act(ActingChange(emotion="sad", spread=0.5, codes=Sampling(2.0, 2.0), speaker="second"), 16000)
    stream.act(ActingChange(emotion=SPEECH, spread=0.0, codes="likeliest", speaker="first"), 32000)
    stream.push(samples)
    stream.finish()
    found = joined_frames(drain(pipeline, stream, 4))
    stream.close()
    assert change(found.weights[35:58], plain.weights[35:58]) > 0.01
    assert change(found.weights[150:], plain.weights[150:]) < 0.2 * change(found.weights[35:58], plain.weights[35:58])


def test_a_recording_goes_through_the_network_in_one_piece_and_is_heard_whole(graphs: DeepTalkGraphs) -> None:
    motion = DeepTalkMotion(graphs)
    part = motion.whole_clips.next_part(0, None, 20)
    samples = np.zeros((1, 20 * CODE), np.float32)
    samples[0, :48_000] = babble(6, 16000, 3.0)
    found = motion.whole_clips.step(samples, fresh_state(motion, Acting(speaker="second")), part)
    mean, _ = graphs.hear(samples)
    quiet = np.zeros((1, 40, graphs.manifest.codes), np.float32)
    spoken = motion.hear_words(samples)
    moved = graphs.move(spoken.speech, mean, np.eye(3, dtype=np.float32)[1:2], quiet[:, :20], quiet)
    assert found.motion.shape == (1, 160, 53)
    np.testing.assert_allclose(found.motion[:, 1::2], moved.motion, atol=1e-6)
    between = 0.5 * (moved.motion[:, :-1] + moved.motion[:, 1:])
    np.testing.assert_allclose(found.motion[:, 2::2], between, atol=1e-6)
    np.testing.assert_allclose(found.phone, spoken.phone, atol=1e-6)


def test_a_long_recording_has_no_seam_where_its_parts_meet(tmp_path: Path) -> None:
    """Parts of 32 codes, 5.12 s, in place of 48 s: the way of cutting is the same."""
    pipeline = open_pipeline(str(write_tiny_deeptalk(tmp_path / "parts")))
    whole = open_pipeline(str(write_tiny_deeptalk(tmp_path / "whole", longest_codes=200)))
    samples = babble(7, 16000, 14.0)
    options = StreamOptions(frame_rate=FrameRate(25), polish=STILL, acting=ActingChange(emotion="sad"))
    parts, one = (animate(samples, options, each).weights for each in (pipeline, whole))
    assert parts.shape == one.shape
    steps = np.abs(np.diff(parts[:350], axis=0)).max(axis=1)
    joins = [4 * (28 + 24 * part) for part in range(3)]
    usual = np.quantile(np.abs(np.diff(one[:350], axis=0)).max(axis=1), 0.99)
    for join in joins:
        assert steps[join - 2 : join + 6].max() <= usual
    # away from the joins both are the same motion: the network sees no further than its own few codes
    away = np.ones(350, bool)
    for join in joins:
        away[join - 6 : join + 10] = False
    np.testing.assert_allclose(parts[:350][away], one[:350][away], atol=0.05)
    cut = animated_clip(pipeline, samples, options, [1000, 30_000, 90_000, 90_001])
    np.testing.assert_allclose(cut, parts, atol=1e-5)


def animated_clip(pipeline: Pipeline, samples: Float32, options: StreamOptions, cuts: Sequence[int]) -> Float32:
    stream = pipeline.open(options, is_clip=True)
    runs = []
    for piece in np.split(samples, cuts):
        stream.push(piece)
        runs += drain(pipeline, stream, 3)
    stream.finish()
    runs += drain(pipeline, stream, 3)
    assert stream.is_done
    stream.close()
    return joined_frames(runs).weights


@pytest.mark.parametrize("is_clip", [False, True])
def test_lips_shut_where_a_bilabial_is_heard(
    pipeline: Pipeline, is_clip: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = babble(2, 16000, 1.2)
    graphs = pipeline.source._graphs  # type: ignore[attr-defined]
    listen = graphs.listen

    def gap(probability: float) -> Float32:
        def told(*given: Any) -> tuple[Words, BatchState]:
            words, state = listen(*given)
            phone = np.full_like(words.phone, (1.0 - probability) / 2.0)
            phone[:, :, pipeline.model.phone_classes.index("PP")] = probability
            return words._replace(phone=phone), state

        monkeypatch.setattr(graphs, "listen", told)
        options = StreamOptions(polish=STILL)
        found = animate(samples, options, pipeline) if is_clip else animated(pipeline, samples, options)
        return (found.weights[:, INDEX["jawOpen"]] - found.weights[:, INDEX["mouthClose"]])[:36]

    assert gap(1.0).max() < 0.01
    assert gap(0.0).max() > 0.1


def test_a_network_that_hears_windows_moves_streams_and_clips(tmp_path: Path) -> None:
    pipeline = open_pipeline(str(write_tiny_deeptalk(tmp_path, hears_hops=False)))
    audio = [babble(seed, 16000, 1.5 + 0.4 * seed) for seed in range(3)]
    all_options = [StreamOptions(seed=seed, acting=acting) for seed, acting in enumerate((None, SAMPLED, None))]
    for seed, found in enumerate(animated_together(pipeline, audio, all_options)):
        alone = animated(pipeline, audio[seed], all_options[seed], [777, 9000])
        np.testing.assert_allclose(found.weights, alone.weights, atol=1e-5)
        assert np.ptp(found.weights[:, INDEX["jawOpen"]]) > 0.02
    assert animate(audio[0], all_options[0], pipeline).count == alone_count(audio[0])


def alone_count(samples: Float32) -> int:
    return FrameClock(FrameRate(30), 16000).frames_until(samples.size + 4800)


def test_a_failing_step_costs_its_streams_and_no_others(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = pipeline.open(StreamOptions()), pipeline.open(StreamOptions())
    samples = babble(1, 16000, 1.0)
    for stream in (first, second):
        stream.push(samples)
    graphs = pipeline.source._graphs  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(graphs, "move", lambda *given: (_ for _ in ()).throw(EngineError("no memory")))
        (lost,) = pipeline.advance([first])
    assert isinstance(lost, EngineError)
    assert first.ready_hops == 0
    (frames,) = pipeline.advance([second])
    assert isinstance(frames, Frames)
    move = graphs.move

    def spoilt(*given: Float32) -> object:
        moved = move(*given)
        moved.motion[0] = np.nan
        return moved

    third = pipeline.open(StreamOptions())
    third.push(samples)
    monkeypatch.setattr(graphs, "move", spoilt)
    results = pipeline.advance([third, second])
    assert [isinstance(result, EngineError) for result in results].count(True) >= 1
    for stream in (first, second, third):
        stream.close()


def test_presets_and_vectors_are_checked_and_change_nothing_when_wrong(pipeline: Pipeline) -> None:
    stream = pipeline.open(StreamOptions())
    vector = np.ones(WIDTH, np.float32)
    for wrong, said in (
        (ActingChange(emotion="furious"), "preset: got 'furious'; allowed: neutral, happy, sad"),
        (ActingChange(emotion=Emotion(np.ones(5, np.float32))), "emotion.mean: got 5 values; allowed: exactly 6"),
        (ActingChange(emotion=Emotion(vector), spread=1.0), "emotion_spread: got 1.0; allowed: 0 for an emotion whose"),
        (ActingChange(speaker="nobody"), "speaker: got 'nobody'; allowed: one of first, second, third"),
    ):
        with pytest.raises(InvalidValue, match=said):
            stream.act(wrong, 0)
        with pytest.raises(InvalidValue, match=said):
            pipeline.open(StreamOptions(acting=wrong))
    stream.push(babble(1, 16000, 0.6))
    stream.finish()
    found = joined_frames(drain(pipeline, stream))
    stream.close()
    np.testing.assert_array_equal(found.weights, animated(pipeline, babble(1, 16000, 0.6), StreamOptions()).weights)
    assert pipeline.open_count == 0


def test_a_resumed_stream_goes_on_with_the_same_chance(pipeline: Pipeline) -> None:
    samples = babble(11, 16000, 8.0)
    acting = ActingChange(emotion="sad", codes=Sampling(2.0, 2.0))
    whole = animated(pipeline, samples, StreamOptions(seed=3, polish=STILL, acting=acting))
    begin, resume_at = 3 * 12_800, 5 * 16_000  # on the client's grid of 800 ms, two seconds and more before

    def resumed(seed: int) -> Frames:
        options = StreamOptions(
            seed=seed, polish=STILL, acting=acting, first_sample=begin, first_frame_sample=resume_at
        )
        return animated(pipeline, samples[begin:], options)

    found, other = resumed(3), resumed(4)
    assert (found.first_index, found.end_index) == (150, whole.end_index)
    rest = whole.weights[150:]
    assert change(found.weights, rest) < 0.2 * change(other.weights, rest)
