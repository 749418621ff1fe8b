"""The promises of streaming, kept by the model that ships, on real speech."""

from pathlib import Path

import numpy as np
import pytest

from facestream.audio.files import read_audio
from facestream.curves import INDEX
from facestream.errors import BundleError, EngineError
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.timebase import FrameRate
from facestream.types import Float32, Frames, joined_frames
from tests.engines.tiny_model import write_tiny_bundle
from tests.serving.streams import animated

CLIP = Path(__file__).parents[2] / "examples" / "amiable.flac"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline("live")


@pytest.fixture(scope="module")
def speech() -> Float32:
    samples, rate_hz = read_audio(CLIP)
    assert rate_hz == 16000
    return samples[: 3 * rate_hz]


def test_chunks_of_any_size_give_the_same_frames(pipeline: Pipeline, speech: Float32) -> None:
    expected = animate(speech, StreamOptions(seed=1), pipeline)
    rng = np.random.default_rng(0)
    for longest in (7, 640, 5000):
        cuts = np.cumsum(rng.integers(1, longest + 1, 2 * 16000 // longest + 1))
        found = animated(pipeline, speech, StreamOptions(seed=1), cuts[cuts < speech.size], max_hops=8)
        np.testing.assert_allclose(found.weights, expected.weights, atol=TOLERANCE)


def test_batch_mates_leave_no_trace(pipeline: Pipeline, speech: Float32) -> None:
    rates = [FrameRate(24), FrameRate(30), FrameRate(60)]
    options = [StreamOptions(seed=seed, frame_rate=rates[seed % 3]) for seed in range(9)]
    starts = [2000 * seed for seed in range(9)]
    streams = [pipeline.open(option) for option in options]
    for stream, start in zip(streams, starts, strict=True):
        stream.push(speech[start : start + 16000])
        stream.finish()
    runs: list[list[Frames]] = [[] for _ in streams]
    while any(stream.ready_hops for stream in streams):
        for place, run in enumerate(pipeline.advance(streams, 4)):
            assert not isinstance(run, EngineError)
            runs[place].append(run)
    for place, start in enumerate(starts):
        expected = animate(speech[start : start + 16000], options[place], pipeline)
        np.testing.assert_allclose(joined_frames(runs[place]).weights, expected.weights, atol=TOLERANCE)
        streams[place].close()


def test_speech_moves_the_mouth_and_silence_does_not(pipeline: Pipeline, speech: Float32) -> None:
    jaw = INDEX["jawOpen"]
    assert animate(speech, StreamOptions(), pipeline).weights[:, jaw].max() > 0.15
    silent = animate(np.zeros(3 * 16000, np.float32), StreamOptions(), pipeline).weights[:, jaw]
    assert silent.max() < 0.06  # of the first frame: a network that has heard nothing yet is not sure
    assert silent[10:].max() < 0.01


def test_a_model_made_for_another_head_is_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, name="stranger")  # its head has the digest 000...
    with pytest.raises(BundleError, match="made for head"):
        open_pipeline("stranger", extra_folders=[tmp_path])
