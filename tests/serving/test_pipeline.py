import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import INDEX
from facestream.engines.synthetic import Faults, SyntheticEngine
from facestream.errors import AudioError, Busy, EngineError, InvalidValue, OutOfOrder, PositionError
from facestream.polish.options import ControlChange, PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import LiveStream, StreamOptions
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Frames, joined_frames
from tests.serving.streams import animated, babble, drain, synthetic_pipeline

JAW = INDEX["jawOpen"]
STILL = PolishOptions(blinks=False, gaze=False)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    st.sampled_from([FrameRate(24), FrameRate(30000, 1001), FrameRate(30), FrameRate(60)]),
    st.integers(0, 40_000),
)
def test_exactly_the_frames_of_the_audio_and_then_the_rest_tail(
    rate_hz: int, frame_rate: FrameRate, count: int
) -> None:
    frames = animate(
        np.full(count, 0.1, np.float32),
        StreamOptions(sample_rate_hz=rate_hz, frame_rate=frame_rate),
        synthetic_pipeline(),
    )
    clock = FrameClock(frame_rate, rate_hz)
    expected = clock.frames_until(count + 300 * rate_hz // 1000) if count else 0
    assert frames.first_index == 0
    assert frames.count == expected


def test_the_mouth_closes_when_the_audio_stops_in_the_middle_of_a_sound() -> None:
    pipeline = synthetic_pipeline()
    loud = np.full(16000, 0.2, np.float32)
    frames = animate(loud, StreamOptions(), pipeline)
    assert frames.weights[25, JAW] > 0.2
    assert (frames.weights[-1] == 0).all()
    tail = frames.weights[30:, JAW]
    assert (np.diff(tail) <= 1e-6).all()
    assert np.abs(np.diff(tail)).max() < 0.35  # eased, not dropped


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([8000, 11025, 16000, 44100, 48000]),
    st.sampled_from([FrameRate(24), FrameRate(30), FrameRate(60)]),
    st.integers(1, 3000),
    st.integers(0, 1280),
)
def test_the_announced_latency_is_never_exceeded(rate_hz: int, rate: FrameRate, chunk: int, lookahead: int) -> None:
    pipeline = synthetic_pipeline(SyntheticEngine(lookahead_samples=lookahead))
    stream = pipeline.open(StreamOptions(sample_rate_hz=rate_hz, frame_rate=rate))
    for _ in range(12):
        stream.push(np.zeros(chunk, np.float32))
        drain(pipeline, stream)
        assert stream.clock.sample_of(stream.next_frame_index) + stream.latency_samples >= stream.received_samples
    budget_s = Fraction(lookahead, 16000) + Fraction(20, 1000) + Fraction(3, 1000)
    assert stream.latency_samples <= budget_s * rate_hz


def test_no_frame_precedes_its_audio_without_look_ahead() -> None:
    pipeline = synthetic_pipeline(SyntheticEngine(lookahead_samples=0))
    stream = pipeline.open(StreamOptions(frame_rate=FrameRate(50)))
    for _ in range(10):
        stream.push(np.zeros(320, np.float32))
        drain(pipeline, stream)
        assert stream.next_frame_index <= stream.clock.frames_until(stream.received_samples)


def test_a_gap_is_silence() -> None:
    pipeline = synthetic_pipeline()
    samples = babble(1, 16000, 0.5)
    with_silence = np.concatenate((samples, np.zeros(4801, np.float32), samples))
    expected = animate(with_silence, StreamOptions(), pipeline)
    stream = pipeline.open(StreamOptions())
    stream.push(samples)
    stream.skip_to(samples.size + 4801)
    stream.skip_to(stream.received_samples)
    stream.push(samples)
    stream.finish()
    found = joined_frames(drain(pipeline, stream, 8))
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)


def test_positions_go_forward_and_not_too_far() -> None:
    stream = synthetic_pipeline().open(StreamOptions(first_sample=1000))
    stream.push(np.zeros(500, np.float32))
    with pytest.raises(PositionError, match="got 1499, but samples up to 1500"):
        stream.skip_to(1499)
    with pytest.raises(InvalidValue, match="a gap of at most 480000 samples"):
        stream.skip_to(1500 + 480_001)
    stream.skip_to(1500 + 480_000)
    assert stream.received_samples == 481_500


def test_audio_after_the_end_and_too_much_audio_are_refused() -> None:
    pipeline = synthetic_pipeline()
    stream = pipeline.open(StreamOptions())
    stream.push(np.zeros(50 * 16000, np.float32))
    assert stream.buffered_samples == 50 * 16000
    with pytest.raises(Busy, match="send slower"):
        stream.push(np.zeros(10 * 16000 + 1, np.float32))
    stream.finish()
    stream.finish()
    with pytest.raises(OutOfOrder, match="after the end"):
        stream.push(np.zeros(1, np.float32))
    stream.close()
    assert stream.ready_hops == 0


def test_a_resumed_stream_goes_on_where_the_first_one_stopped() -> None:
    pipeline = synthetic_pipeline()
    samples = babble(5, 44100, 8.0)
    whole = animate(samples, StreamOptions(sample_rate_hz=44100, seed=5), pipeline)
    resume_at = 5 * 44100 + 17
    options = StreamOptions(
        sample_rate_hz=44100, seed=5, first_sample=resume_at - 2 * 44100, first_frame_sample=resume_at
    )
    resumed = animated(pipeline, samples[options.first_sample :], options)
    assert resumed.first_index == FrameClock(FrameRate(30), 44100).frames_until(resume_at)
    assert resumed.end_index == whole.end_index
    rest = whole.weights[resumed.first_index :]
    lids = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    np.testing.assert_allclose(resumed.weights[:, lids], rest[:, lids], atol=1e-3)  # drawn by time, not by history
    # the hops of the two streams lie at other phases: near, not equal
    np.testing.assert_allclose(resumed.weights, rest, atol=0.03)
    assert rest[:, JAW].max() > 0.2


def test_a_poisoned_stream_fails_alone() -> None:
    pipeline = synthetic_pipeline(SyntheticEngine(lookahead_samples=960, faults=Faults(poison_level=5.0)))
    mates = [pipeline.open(StreamOptions(seed=seed)) for seed in range(5)]
    audio = [babble(seed, 16000, 1.0) for seed in range(5)]
    poisoned = audio[2].copy()
    poisoned[8000] = 6.0
    runs: list[list[Frames]] = [[] for _ in mates]
    errors: list[tuple[int, EngineError]] = []
    for begin in range(0, 16000, 640):
        for seed, mate in enumerate(mates):
            mate.push((poisoned if seed == 2 else audio[seed])[begin : begin + 640])
        for seed, result in enumerate(pipeline.advance(mates, 2)):
            if isinstance(result, EngineError):
                errors.append((seed, result))
            else:
                runs[seed].append(result)
    assert [seed for seed, _ in errors] == [2]
    assert mates[2].failure is errors[0][1]
    assert mates[2].ready_hops == 0
    for seed in (0, 1, 3, 4):
        mates[seed].finish()
        found = joined_frames(runs[seed] + drain(pipeline, mates[seed]))
        expected = animate(audio[seed], StreamOptions(seed=seed), pipeline)
        np.testing.assert_allclose(found.weights, expected.weights, atol=1e-5)


def test_a_failing_step_costs_its_streams_and_no_others() -> None:
    pipeline = synthetic_pipeline(SyntheticEngine(faults=Faults(failing_steps={0})))
    first, second = pipeline.open(StreamOptions()), pipeline.open(StreamOptions())
    for stream in (first, second):
        stream.push(np.zeros(640, np.float32))
    (failed,) = pipeline.advance([first])
    assert isinstance(failed, EngineError)
    (frames,) = pipeline.advance([second])
    assert isinstance(frames, Frames)
    with pytest.raises(EngineError):
        animate(np.zeros(320, np.float32), StreamOptions(), synthetic_pipeline(SyntheticEngine(faults=Faults({0}))))


def test_a_new_stream_in_an_old_row_remembers_nothing() -> None:
    pipeline = synthetic_pipeline()
    samples = babble(9, 16000, 0.6)
    fresh = animate(samples, StreamOptions(seed=9), pipeline)
    loud = pipeline.open(StreamOptions(seed=1))
    loud.push(np.full(16000, 0.5, np.float32))
    drain(pipeline, loud)
    row = loud.row
    loud.close()
    loud.close()
    again = pipeline.open(StreamOptions(seed=9))
    assert again.row == row
    again.push(samples)
    again.finish()
    np.testing.assert_array_equal(joined_frames(drain(pipeline, again, 64)).weights, fresh.weights)


def test_a_row_closed_within_a_step_is_not_handed_out_before_it_ends() -> None:
    closing: list[LiveStream] = []
    met: list[LiveStream] = []

    def client_vanishes_and_another_comes(_: float) -> None:
        closing[0].close()
        met.append(pipeline.open(StreamOptions(seed=2)))

    pipeline = synthetic_pipeline(SyntheticEngine(step_s=1.0, sleep=client_vanishes_and_another_comes))
    closing.append(pipeline.open(StreamOptions()))
    closing[0].push(np.full(320, 0.5, np.float32))
    pipeline.advance(closing)
    assert met[0].row != closing[0].row
    assert pipeline.open_count == 1


def test_rows_come_back_however_many_streams_there_were() -> None:
    pipeline = synthetic_pipeline()
    for _ in range(20):
        streams = [pipeline.open(StreamOptions()) for _ in range(30)]
        assert len({stream.row for stream in streams}) == 30
        assert pipeline.open_count == 30
        for stream in streams:
            stream.close()
    assert pipeline.open_count == 0
    assert max(stream.row for stream in streams) < 32


def test_a_control_acts_from_its_sample_on() -> None:
    pipeline = synthetic_pipeline()
    loud = np.full(32000, 0.15, np.float32)
    stream = pipeline.open(StreamOptions(polish=STILL))
    stream.control(ControlChange(mouth_strength=0.0), 16000)
    stream.push(loud)
    stream.finish()
    jaw = joined_frames(drain(pipeline, stream, 8)).weights[:, JAW]
    assert jaw[29] > 0.15
    assert jaw[30] == 0


def test_streams_that_are_not_ready_get_no_frames_and_order_is_kept() -> None:
    pipeline = synthetic_pipeline()
    streams = [pipeline.open(StreamOptions(seed=seed)) for seed in range(4)]
    for place in (1, 3):
        streams[place].push(np.full(3200, 0.2, np.float32))
    results = pipeline.advance(streams, 8)
    counts = [result.count for result in results if isinstance(result, Frames)]
    assert [count > 0 for count in counts] == [False, True, False, True]
    assert pipeline.advance([streams[0]])[0] is not None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"sample_rate_hz": 0}, AudioError, "sample_rate_hz: got 0"),
        ({"frame_rate": FrameRate(12)}, InvalidValue, "frame_rate: got 12/1; allowed: a ratio from 24/1 to 60/1"),
        ({"frame_rate": FrameRate(61)}, InvalidValue, "frame_rate: got 61/1"),
        ({"seed": -1}, InvalidValue, "seed: got -1"),
        ({"first_sample": -1}, InvalidValue, "first_sample: got -1"),
        ({"first_sample": 5, "first_frame_sample": 4}, InvalidValue, "first_frame_sample: got 4"),
    ],
)
def test_options_out_of_range_are_named(arguments: dict[str, object], error: type[InvalidValue], said: str) -> None:
    with pytest.raises(error, match=said):
        StreamOptions(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("strength", [-0.1, 2.1, float("nan")])
def test_mouth_strength_has_limits(strength: float) -> None:
    with pytest.raises(InvalidValue, match="mouth_strength"):
        PolishOptions(mouth_strength=strength)
    with pytest.raises(InvalidValue, match="mouth_strength"):
        ControlChange(mouth_strength=strength)


def test_progress_reaches_one() -> None:
    told: list[float] = []
    animate(babble(1, 16000, 2.5), StreamOptions(), synthetic_pipeline(), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_producers_and_the_engine_thread_may_work_at_the_same_time() -> None:
    pipeline = synthetic_pipeline()
    audio = {seed: babble(seed, 16000, 1.5) for seed in range(6)}
    streams = {seed: pipeline.open(StreamOptions(seed=seed)) for seed in audio}
    runs: dict[int, list[Frames]] = {seed: [] for seed in audio}

    def produce(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for piece in np.split(audio[seed], np.cumsum(rng.integers(1, 900, 25))):
            streams[seed].push(piece)
            other = pipeline.open(StreamOptions(seed=99))  # clients come and go meanwhile
            other.push(piece)
            other.close()
        streams[seed].finish()

    producers = [threading.Thread(target=produce, args=(seed,)) for seed in audio]
    for producer in producers:
        producer.start()
    while not all(stream.is_done for stream in streams.values()):
        for seed, run in zip(streams, pipeline.advance(list(streams.values()), 4), strict=True):
            assert isinstance(run, Frames)
            runs[seed].append(run)
    for producer in producers:
        producer.join()
    for seed, samples in audio.items():
        expected = animate(samples, StreamOptions(seed=seed), pipeline)
        np.testing.assert_allclose(joined_frames(runs[seed]).weights, expected.weights, atol=1e-5)
        streams[seed].close()
    assert pipeline.open_count == 0
