"""TensorRT on a GPU against ONNX Runtime: `python -m pytest -m gpu` on a machine that has one."""

from pathlib import Path

import numpy as np
import pytest

from facestream.engines.base import BUCKETS, ROW, Engine
from facestream.engines.bundle import open_bundle
from facestream.engines.choice import ONNX, TENSORRT, Backend, EngineOptions, open_onnx, open_tensorrt
from facestream.engines.graph import OnnxGraph
from facestream.engines.tensorrt import HEARD
from facestream.engines.tensorrt_profiles import profiles_of
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream.types import Float32
from tests.engines.tensorrt_graphs import Shipped, shipped_graphs, shipped_ids
from tests.serving.streams import babble

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

TOLERANCE = {"fp32": 1e-5, "fp16": 2e-3}
"""How far a row may be from the same row alone, in the units of a motion."""
RUNS = 4
"""The first ones are queued, the last one is a CUDA graph."""


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def backend(precision: str, cache: Path) -> Backend:
    return open_tensorrt(EngineOptions(TENSORRT, precision=precision, cache=cache))


@pytest.fixture(scope="module")
def engine(backend: Backend) -> Engine:
    return backend.open_live(open_bundle("live"))


@pytest.mark.parametrize(
    "shipped",
    [one for one in shipped_graphs() if not one.states],
    ids=[name for name in shipped_ids() if not name.startswith("live")],
)
def test_a_graph_gives_what_onnx_gives(shipped: Shipped, backend: Backend, precision: str) -> None:
    reference = OnnxGraph(shipped.bundle, shipped.spec)
    graph = backend.open_graph(shipped.bundle, shipped.spec)
    random = np.random.default_rng(1)
    for profile in profiles_of(shipped.bundle.manifest, shipped.spec)[:3]:
        given = {
            name: np.full(shapes.usual, 100)
            if len(shapes.usual) == 1
            else random.normal(0, 0.1 if name in ("pcm", "waveform") else 0.5, shapes.usual).astype(np.float32)
            for name, shapes in profile.items()
        }
        outputs = list(shipped.spec.outputs)
        expected = reference.run(outputs, given)
        for _ in range(RUNS):
            for name, found, right in zip(outputs, graph.run(outputs, given), expected, strict=True):
                furthest = 1e-3 if precision == "fp32" else 2e-2
                np.testing.assert_allclose(found, right, atol=furthest * np.abs(right).max(), err_msg=name)


@pytest.mark.parametrize("rows", BUCKETS)
def test_live_rows_are_what_they_are_alone(engine: Engine, precision: str, rows: int) -> None:
    speech = np.stack([babble(row, 16000, 1.0) for row in range(rows)])
    together = streamed(engine, speech, first_row=1)
    alone = streamed(engine, speech[rows // 2 :][:1], first_row=200)
    np.testing.assert_allclose(together[rows // 2], alone[0], atol=TOLERANCE[precision])


def test_live_streams_give_what_onnx_gives(engine: Engine, precision: str) -> None:
    reference = open_onnx(EngineOptions(ONNX)).open_live(open_bundle("live"))
    speech = np.stack([babble(row, 16000, 1.0) for row in range(5)])
    state, rows = reference.model.fresh_state(5), []
    for begin in range(0, 16000, 640):
        output = reference.step(speech[:, begin : begin + 640], state)
        state = dict(output.next_state)
        rows.append(output.motion)
    furthest = 1e-3 if precision == "fp32" else 1e-2
    np.testing.assert_allclose(streamed(engine, speech, first_row=3), np.concatenate(rows, axis=1), atol=furthest)


def test_hops_at_once_are_hops_in_turn_and_rows_are_begun_afresh(engine: Engine, precision: str) -> None:
    speech = babble(7, 16000, 1.28)[None]
    in_turn = streamed(engine, speech, first_row=9)
    at_once = streamed(engine, speech, first_row=9, hops=16)  # the same row, whose state is another stream's by now
    np.testing.assert_allclose(at_once, in_turn, atol=TOLERANCE[precision])


@pytest.mark.parametrize("model", ["live", "deeptalk-compact", "diffposetalk-compact"])
def test_takes_are_those_of_onnx_in_weights(model: str, precision: str, cache: Path) -> None:
    speech = babble(3, 16000, 4.0)
    takes = [
        animate(speech, StreamOptions(seed=1), open_pipeline(model, engine=options)).weights
        for options in (EngineOptions(ONNX), EngineOptions(TENSORRT, precision=precision, cache=cache))
    ]
    apart = np.abs(takes[0] - takes[1])
    assert apart.mean() < (1e-4 if precision == "fp32" else 1e-3)
    assert apart.max() < (5e-3 if precision == "fp32" else 3e-2)


def streamed(engine: Engine, speech: Float32, *, first_row: int, hops: int = 1) -> Float32:
    """Motion `[B, M, D]` of `speech` `[B, T]`, some hops a step."""
    rows, samples = len(speech), hops * engine.model.hop_samples
    state = {ROW: np.arange(first_row, first_row + rows, dtype=np.float32), HEARD: np.zeros(rows, np.float32)}
    found = []
    for begin in range(0, speech.shape[1] - samples + 1, samples):
        output = engine.step(speech[:, begin : begin + samples], state)
        state = {name: np.asarray(value) for name, value in output.next_state.items()}
        found.append(output.motion)
    return np.concatenate(found, axis=1)
