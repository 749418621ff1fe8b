"""The graph of one hop says what the graph for any number of them says."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.onnx import OnnxEngine
from facestream.engines.onnx_hops import OnnxHopEngine
from facestream_models.export import hop


def copied(bundle: Bundle, folder: Path) -> Path:
    for path in bundle.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_weights_are_stored_once() -> None:
    folder = open_bundle("live").folder
    assert (folder / "hop.onnx").stat().st_size < 0.02 * (folder / "live.onnx").stat().st_size
    with_weights, whole = onnx.load(folder / "hop.onnx"), onnx.load(folder / "live.onnx")
    found = {tensor.raw_data for tensor in whole.graph.initializer}
    large = [tensor.raw_data for tensor in with_weights.graph.initializer if len(tensor.raw_data) > 4096]
    assert len(large) > 20
    assert found.issuperset(large)


@pytest.mark.slow
def test_a_bundle_without_one_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(open_bundle("live"), tmp_path)
    (folder / "hop.onnx").unlink()
    content = json.loads((folder / "manifest.json").read_text())
    del content["hop_graph"], content["files"]["hop.onnx"]
    (folder / "manifest.json").write_text(json.dumps(content))
    assert Bundle.open(folder).live.hop_graph is None
    monkeypatch.setattr("sys.argv", ["hop", str(folder)])
    hop.main()
    bundle = Bundle.open(folder)
    assert bundle.live.hop_graph == "hop.onnx"
    engine, whole = OnnxHopEngine(bundle, "hop.onnx"), OnnxEngine(bundle)
    pcm = (0.1 * np.random.default_rng(0).standard_normal((2, 640 * 12))).astype(np.float32)
    expected = whole.step(pcm, whole.model.fresh_state(2)).motion
    state = engine._fresh_state(2)
    for number in range(12):
        output = engine.step(pcm[:, 640 * number : 640 * (number + 1)], state)
        state = output.next_state
        np.testing.assert_allclose(output.motion, expected[:, 2 * number : 2 * number + 2], atol=1e-5)
