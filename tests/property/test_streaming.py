"""The first promise: any chunking of the same audio, any batch mates, any row give the same frames."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facestream.errors import EngineError
from facestream.polish.options import ControlChange
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.timebase import FrameRate
from facestream.types import Frames, joined_frames
from tests.serving.streams import animated, babble, drain, tiny_pipeline

TOLERANCE = 1e-5
RATES = [FrameRate(24), FrameRate(25), FrameRate(30000, 1001), FrameRate(30), FrameRate(60)]
SECONDS = 0.7


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return tiny_pipeline(tmp_path_factory.mktemp("tiny"))


def assert_same(found: Frames, expected: Frames) -> None:
    assert (found.first_index, found.count) == (expected.first_index, expected.count)
    np.testing.assert_allclose(found.weights, expected.weights, atol=TOLERANCE)
    assert found.pose is not None
    assert expected.pose is not None
    np.testing.assert_allclose(found.pose.left_eye, expected.pose.left_eye, atol=TOLERANCE)
    np.testing.assert_allclose(found.pose.right_eye, expected.pose.right_eye, atol=TOLERANCE)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sample_rate_hz=st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    frame_rate=st.sampled_from(RATES),
    cuts=st.lists(st.floats(0, 1), max_size=12),
    max_hops=st.sampled_from([1, 2, 5, 64]),
    seed=st.integers(0, 2**64 - 1),
)
def test_any_cut_gives_the_same_frames(
    pipeline: Pipeline, sample_rate_hz: int, frame_rate: FrameRate, cuts: list[float], max_hops: int, seed: int
) -> None:
    samples = babble(seed % 1000, sample_rate_hz, SECONDS)
    options = StreamOptions(sample_rate_hz=sample_rate_hz, frame_rate=frame_rate, seed=seed)
    places = sorted(int(cut * samples.size) for cut in cuts)
    assert_same(animated(pipeline, samples, options, places, max_hops), animate(samples, options, pipeline))


@pytest.mark.parametrize("sample_rate_hz", [16000, 44100])
def test_single_samples_and_one_great_chunk_give_the_same_frames(pipeline: Pipeline, sample_rate_hz: int) -> None:
    samples = babble(3, sample_rate_hz, 10.0)
    options = StreamOptions(sample_rate_hz=sample_rate_hz, seed=3)
    whole = animated(pipeline, samples, options, (), max_hops=64)
    start = round(0.3 * sample_rate_hz)
    assert_same(animated(pipeline, samples, options, range(1, start)), whole)


class Mate:
    """One of many streams that share batches; feeds itself in chunks of its own."""

    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        rng = np.random.default_rng(seed)
        rate_hz = int(rng.choice([16000, 44100]))
        self.options = StreamOptions(sample_rate_hz=rate_hz, frame_rate=RATES[seed % len(RATES)], seed=seed)
        self.samples = babble(seed, rate_hz, float(rng.uniform(0.1, 0.8)))
        self.live = pipeline.open(self.options)
        self.runs: list[Frames] = []
        self._rng = rng
        self._sent = 0

    def feed(self) -> None:
        if self.live.is_finished:
            return
        size = int(self._rng.integers(1, self.options.sample_rate_hz // 8))
        self.live.push(self.samples[self._sent : self._sent + size])
        self._sent += size
        if self._sent >= self.samples.size:
            self.live.finish()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seeds=st.lists(st.integers(0, 10_000), min_size=2, max_size=9, unique=True), order=st.randoms())
def test_any_batch_mates_and_any_row_give_the_same_frames(pipeline: Pipeline, seeds: list[int], order: object) -> None:
    mates: list[Mate] = []
    waiting = list(seeds)
    rng = np.random.default_rng(seeds[0])
    while waiting or any(not mate.live.is_done for mate in mates):
        if waiting and rng.random() < 0.4:
            mates.append(Mate(pipeline, waiting.pop()))
        active = [mate for mate in mates if not mate.live.is_done]
        for mate in active:
            if rng.random() < 0.7:
                mate.feed()
        rng.shuffle(active)  # type: ignore[arg-type]
        for mate, run in zip(active, pipeline.advance([m.live for m in active], int(rng.integers(1, 6))), strict=True):
            assert not isinstance(run, EngineError)
            mate.runs.append(run)
            if mate.live.is_done:
                mate.live.close()
    for mate in mates:
        assert_same(joined_frames(mate.runs), animate(mate.samples, mate.options, pipeline))
    assert pipeline.open_count == 0


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 9600), st.builds(ControlChange, mouth_strength=st.floats(0, 2), blinks=st.booleans())),
        min_size=1,
        max_size=4,
        unique_by=lambda change: change[0],
    ),
    cuts=st.lists(st.integers(0, 9600), max_size=5),
)
def test_controls_act_at_their_sample_whenever_they_come(
    pipeline: Pipeline, changes: list[tuple[int, ControlChange]], cuts: list[int]
) -> None:
    samples, options = babble(8, 16000, 0.6), StreamOptions(seed=8)

    def run(places: list[int], late: bool) -> Frames:
        stream = pipeline.open(options)
        told = sorted(changes, key=lambda change: change[0]) if late else changes[::-1]
        runs: list[Frames] = []
        sent = 0
        for piece in np.split(samples, sorted(places)):
            # late: only just before the audio that it is for
            while told and (not late or told[0][0] < sent + piece.size):
                sample, change = told[0]
                told = told[1:]
                stream.control(change, sample)
            stream.push(piece)
            sent += piece.size
            runs += drain(pipeline, stream)
        for sample, change in told:
            stream.control(change, sample)
        stream.finish()
        runs += drain(pipeline, stream, 8)
        stream.close()
        return joined_frames(runs)

    assert_same(run(cuts, late=True), run([], late=False))
