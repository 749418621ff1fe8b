"""Pipelines and ways of feeding them, for the tests of everything that is fed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facestream.engines.base import Engine
from facestream.engines.bundle import Bundle, shipped_folder
from facestream.engines.onnx import OnnxEngine
from facestream.engines.synthetic import SyntheticEngine
from facestream.errors import EngineError
from facestream.motion.live import LiveMotion
from facestream.retarget.profile import load_profile
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.live_stream import LiveStream, StreamOptions
from facestream.serving.pipeline import Pipeline, no_frames
from facestream.types import Float32, Frames, joined_frames
from tests.engines.tiny_model import write_tiny_bundle


def pipeline_with(engine: Engine) -> Pipeline:
    """The shipped head behind any engine."""
    profile = load_profile(shipped_folder() / "head" / "rig_profile.npz")
    return Pipeline(Animator(LiveMotion(engine), Retargeter(profile, engine.model.extras)))


def synthetic_pipeline(engine: SyntheticEngine | None = None) -> Pipeline:
    return pipeline_with(engine or SyntheticEngine(lookahead_samples=960, motions_per_hop=2))


def tiny_pipeline(folder: Path) -> Pipeline:
    """The seeded ONNX model of the engine tests."""
    return pipeline_with(OnnxEngine(Bundle.open(write_tiny_bundle(folder))))


def babble(seed: int, sample_rate_hz: int, seconds: float) -> Float32:
    """Noise with the rhythm of syllables and a pause in the middle."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    envelope = np.clip(np.sin(2 * np.pi * 4 * times + seed), 0, 1) * (np.abs(times - seconds / 2) > 0.15)
    return (0.3 * envelope * rng.standard_normal(times.size)).astype(np.float32)


def drain(pipeline: Pipeline, stream: LiveStream, max_hops: int = 1) -> list[Frames]:
    """Every frame that can be made now. Raises what the stream failed with."""
    runs = []
    while stream.ready_hops:
        (run,) = pipeline.advance([stream], max_hops)
        if isinstance(run, EngineError):
            raise run
        runs.append(run)
    return runs


def animated(
    pipeline: Pipeline, samples: Float32, options: StreamOptions, cuts: Sequence[int] = (), max_hops: int = 4
) -> Frames:
    """All frames of one stream that gets its audio cut at these positions."""
    stream = pipeline.open(options)
    runs = [no_frames(stream)]
    for piece in np.split(samples, cuts):
        stream.push(piece)
        runs += drain(pipeline, stream, max_hops)
    stream.finish()
    runs += drain(pipeline, stream, max_hops)
    assert stream.is_done
    stream.close()
    return joined_frames(runs)


def animated_together(
    pipeline: Pipeline, audio: Sequence[Float32], all_options: Sequence[StreamOptions]
) -> list[Frames]:
    """All frames of streams that go through the same steps, each of them fed by pieces of random length."""
    streams = [pipeline.open(options) for options in all_options]
    runs: list[list[Frames]] = [[] for _ in streams]
    random, sent = np.random.default_rng(0), [0] * len(streams)
    while not all(stream.is_done for stream in streams):
        for place, stream in enumerate(streams):
            count = int(random.integers(0, 6000))
            if sent[place] < audio[place].size:
                stream.push(audio[place][sent[place] : sent[place] + count])
                sent[place] += count
            elif not stream.is_finished:
                stream.finish()
        for run, result in zip(runs, pipeline.advance(streams, 2), strict=True):
            assert isinstance(result, Frames)
            run.append(result)
    for stream in streams:
        stream.close()
    return [joined_frames(run) for run in runs]


def spoken(pipeline: Pipeline, group: int, *, speakers: int = 3, turns: int = 6) -> Float32:
    """Weights of streams that come and go, so that rows are taken, cleared and given back all the time. Every `group`
    says something else.
    """
    made: list[Float32] = []
    for turn in range(turns):
        streams = [pipeline.open(StreamOptions(seed=1000 * group + number)) for number in range(speakers)]
        for number, stream in enumerate(streams):
            stream.push(babble(1000 * group + 10 * turn + number, 16000, 1.0)[:4800])
        for _ in range(5):
            for outcome in pipeline.advance(streams):
                assert not isinstance(outcome, EngineError)
                made.append(outcome.weights)
        for stream in streams:
            stream.close()
    return np.concatenate(made)
