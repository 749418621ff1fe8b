"""From a bundle to an engine for a card that is not here: really built, really cached, and not loaded."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from cuda.bindings import runtime as cudart

from facestream.engines import tensorrt_backend
from facestream.engines.bundle import Bundle
from facestream.engines.cuda import Device
from facestream.engines.tensorrt_backend import TensorRtBackend
from facestream.engines.tensorrt_build import Target, build, prepared
from facestream.engines.tensorrt_graph import TensorRtGraph
from facestream.engines.tensorrt_library import TensorRtLibrary
from facestream.engines.tensorrt_profiles import graphs_of
from facestream.errors import EngineUnavailable
from tests.engines.tensorrt_graphs import shipped_graphs, small_profile
from tests.engines.tiny_model import write_tiny_bundle

CARD = Device("NVIDIA RTX A2000", (8, 6), 12 << 30, 13_010)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path / "bundle"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, library: TensorRtLibrary) -> list[bytes]:
    """Engines that were to be loaded on the card."""
    plans: list[bytes] = []

    def load(library: TensorRtLibrary, plan: bytes, *others: Any, **named: Any) -> bytes:
        plans.append(plan)
        return plan

    monkeypatch.setattr(tensorrt_backend, "find_device", lambda: CARD)
    monkeypatch.setattr(tensorrt_backend, "free_bytes", lambda: 8 << 30)
    monkeypatch.setattr(tensorrt_backend, "TensorRtGraph", load)
    # one profile in place of seven: a tenth of the time, and nothing here depends on it
    monkeypatch.setattr(tensorrt_backend, "profiles_of", lambda manifest, graph: (small_profile(graph),))
    return plans


def opened(bundle: Bundle, cache: Path, precision: str = "fp32") -> None:
    (graph,) = graphs_of(bundle.live)
    TensorRtBackend(precision, cache).open_graph(bundle, graph)


def must_not_build(*given: object, **named: object) -> Any:
    pytest.fail("built what was in the cache")


def test_an_engine_is_built_once_and_told_of(
    bundle: Bundle,
    loaded: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        opened(bundle, tmp_path / "cache")
    assert "using tensorrt-rtx" in caplog.text
    assert "NVIDIA RTX A2000, compute capability 8.6, 12 GB, driver for CUDA 13.1" in caplog.text
    shares = [record.percent for record in caplog.records if hasattr(record, "percent")]
    assert shares == sorted(set(shares))
    assert shares[-1] == 100
    opened(bundle, tmp_path / "cache", "fp16")
    assert loaded[0] != loaded[1]
    monkeypatch.setattr(tensorrt_backend, "build", must_not_build)
    opened(bundle, tmp_path / "cache")
    assert loaded[2] == loaded[0]


def test_a_broken_engine_in_the_cache_is_built_again(bundle: Bundle, loaded: list[bytes], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    opened(bundle, cache)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    opened(bundle, cache)
    assert len(loaded[1]) == len(loaded[0])
    assert len(path.read_bytes()) > len(loaded[0])


def test_a_cache_that_can_not_be_written_costs_a_line_and_no_engine(
    bundle: Bundle, loaded: list[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    opened(bundle, tmp_path / "file" / "cache")
    assert loaded
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "set engine_cache to a folder of yours" in line


@pytest.mark.usefixtures("loaded")
def test_an_operator_that_tensorrt_refuses_and_the_next_step_are_one_line(bundle: Bundle, tmp_path: Path) -> None:
    def refused(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.op_type == "Tanh")
        node.op_type, node.name = "Det", "odd-one"

    with pytest.raises(EngineUnavailable, match="refuses") as raised:
        opened(changed(bundle, refused), tmp_path / "cache")
    assert "refuses operator 'Det' of node 'odd-one'" in str(raised.value)
    assert "use --engine onnx" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_card_without_room_is_told_in_numbers(
    bundle: Bundle, loaded: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt_backend, "free_bytes", lambda: 100 << 20)
    with pytest.raises(EngineUnavailable, match=r"tiny/tiny\.onnx needs \d+ MB on the device, 100 MB are free"):
        opened(bundle, tmp_path / "cache")
    assert not loaded


@pytest.mark.skipif(cudart.cudaDriverGetVersion()[1] > 0, reason="this machine has an NVIDIA driver")
def test_an_engine_that_a_machine_can_not_load_is_refused_with_the_reason(library: TensorRtLibrary) -> None:
    shipped = next(one for one in shipped_graphs() if one.spec.file == "memory.onnx")
    profiles = [small_profile(shipped.spec)]
    model = prepared(shipped.model, shipped.spec.file, "fp16")
    plan, _ = build(library, model, shipped.spec, profiles, Target((8, 6), "fp16"))
    with pytest.raises(EngineUnavailable, match=r"can not load the engine on this device \(.*driver version"):
        TensorRtGraph(library, plan, shipped.spec, profiles)


def changed(bundle: Bundle, change: Callable[[onnx.ModelProto], None]) -> Bundle:
    model = onnx.load(bundle.graph_path)
    change(model)
    data = model.SerializeToString()
    bundle.graph_path.write_bytes(data)
    path = bundle.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"]["tiny.onnx"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))
    return Bundle.open(bundle.folder)
