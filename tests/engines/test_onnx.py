import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from facestream.engines.bundle import Bundle
from facestream.engines.onnx import OnnxEngine
from facestream.errors import BundleError, EngineError
from tests.engines.tiny_model import write_tiny_bundle


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    return OnnxEngine(Bundle.open(write_tiny_bundle(tmp_path_factory.mktemp("tiny"))))


def test_hops_one_by_one_equal_hops_at_once(engine: OnnxEngine) -> None:
    pcm = np.random.default_rng(0).normal(0, 0.1, (3, 320 * 6)).astype(np.float32)
    whole = engine.step(pcm, engine.model.fresh_state(3))
    state = engine.model.fresh_state(3)
    for hop in range(6):
        output = engine.step(pcm[:, 320 * hop : 320 * (hop + 1)], state)
        state = dict(output.next_state)
        np.testing.assert_allclose(output.motion[:, 0], whole.motion[:, hop], atol=1e-6)
        np.testing.assert_allclose(output.phone[:, 0], whole.phone[:, hop], atol=1e-6)
    for name, value in whole.next_state.items():
        np.testing.assert_allclose(state[name], value, atol=1e-6)


@pytest.mark.parametrize("row_count", [1, 2, 3, 8, 33, 64])
def test_a_row_alone_equals_the_row_among_mates(engine: OnnxEngine, row_count: int) -> None:
    rng = np.random.default_rng(row_count)
    pcm = rng.normal(0, 0.1, (row_count, 640)).astype(np.float32)
    state = {
        name: rng.normal(0, 1, value.shape).astype(np.float32)
        for name, value in engine.model.fresh_state(row_count).items()
    }
    together = engine.step(pcm, state)
    row = row_count // 2
    alone = engine.step(pcm[row : row + 1], {name: value[row : row + 1] for name, value in state.items()})
    np.testing.assert_allclose(alone.motion[0], together.motion[row], atol=1e-6)


def test_a_row_that_is_not_finite_fails_alone(engine: OnnxEngine) -> None:
    pcm = np.full((4, 320), 0.1, np.float32)
    pcm[2, 5] = np.inf
    output = engine.step(pcm, engine.model.fresh_state(4))
    assert output.failed_rows() == [2]


def test_a_step_the_graph_can_not_take_is_an_engine_error(engine: OnnxEngine) -> None:
    with pytest.raises(EngineError, match="a step of 2 rows"):
        engine.step(np.zeros((2, 321), np.float32), engine.model.fresh_state(2))


def test_warm_up_gives_a_cost_for_every_size(engine: OnnxEngine) -> None:
    costs = engine.warm_up()
    assert list(costs) == [1, 2, 4, 8, 16, 32, 64]
    assert engine.cost_s(64) == costs[64]
    assert min(costs[16], costs[32]) <= engine.cost_s(24) <= max(costs[16], costs[32])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"states": [{"name": "state_first", "shape": [2, 12]}]}, "expected .*'pcm', 'state_first'"),
        (
            {"states": [{"name": "state_first", "shape": [2, 12]}, {"name": "state_second", "shape": [3, 12]}]},
            r"found shape \(2, 12\) of 'state_second'; expected \(3, 12\)",
        ),
        ({"phone_classes": ["sil", "speech"]}, "found 3 values a row of 'phone'; expected 2"),
        ({"outputs": {"expression": 50, "jaw": 3, "extras": []}}, "found 54 values a row of 'motion'; expected 53"),
    ],
)
def test_a_graph_that_breaks_the_manifests_promise_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        OnnxEngine(Bundle.open(write_tiny_bundle(tmp_path, changes=changes)))


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path)
    (folder / "tiny.onnx").write_bytes(b"not a graph")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["tiny.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="can not load"):
        OnnxEngine(Bundle.open(folder))
