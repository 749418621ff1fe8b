"""The pack for cards: every engine is told of, parts that fail or run late are notes, and all of it works on a CPU."""

import json
import os
import select
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from facestream.engines.bundle import Bundle
from facestream.errors import EngineUnavailable, InvalidValue
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipelines import open_pipeline
from facestream_bench import gpu, gpu_yardstick
from facestream_bench.gpu import Findings, Part, carry_out, shares_of_ceilings, usable_on_card
from facestream_bench.paper_size import write_deeptalk, write_diffposetalk
from facestream_bench.variants import Variant, variants_named
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from tests.deeptalk.small import SMALL
from tests.serving.streams import babble

ROOT = Path(__file__).resolve().parents[2]


def test_every_engine_of_cards_is_told_of() -> None:
    def open_variant(variant: Variant) -> None:
        if variant.engine != "tensorrt":
            raise EngineUnavailable("no such build")

    usable, notes = usable_on_card(open_variant)
    assert [variant.name for variant in usable] == ["tensorrt.fp32", "tensorrt.fp16"]
    assert notes[0] == "onnx-cuda.fp32 does not run here: no such build"
    assert notes[1:] == ["tensorrt.fp32 runs here", "tensorrt.fp16 runs here"]


def test_a_machine_with_cores_to_spare_serves_live_streams_by_several_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def served_by(cores: int) -> list[str]:
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        arguments = Namespace(models=[], full_size=[], rows=[1], device="cuda", streams=True)
        (variant,) = variants_named(["tensorrt.fp16"])
        *_, part = gpu.parts_of([variant], arguments, tmp_path)
        assert part.name == "capacity_tensorrt.fp16"
        return (
            list(part.words[part.words.index("--front-processes") + 1 :]) if "--front-processes" in part.words else []
        )

    assert served_by(2) == []
    assert served_by(16) == ["10"]


def test_a_machine_without_a_card_is_told_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu, "usable_on_card", lambda _: ([], ["tensorrt.fp32 does not run here: no driver"]))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidValue, match="NVIDIA GPU"):
        gpu.main(["-o", str(tmp_path / "gpu.json")])
    assert "tensorrt.fp32 does not run here: no driver" in capsys.readouterr().out
    with pytest.raises(InvalidValue, match="a card and a build of torch"):
        gpu_yardstick.main(["-o", str(tmp_path / "yardstick.json")])
    assert not list(tmp_path.iterdir())


def is_gone(process: int, within_s: float) -> bool:
    """Whether it has ended, or does while we wait: a killed process runs on until the kernel comes to it."""
    try:
        watched = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within_s)[0])
    finally:
        os.close(watched)


def test_a_part_that_fails_or_runs_late_is_a_note_and_no_end(tmp_path: Path) -> None:
    findings, beside = Findings(), tmp_path / "pid"
    child = "import subprocess, sys, pathlib; p = subprocess.Popen(['sleep', '600']); "
    child += "pathlib.Path(sys.argv[1]).write_text(str(p.pid)); p.wait()"
    carry_out(Part("wrong", ("-c", "raise SystemExit('found no wheel')")), 60.0, tmp_path, findings)
    carry_out(Part("endless", ("-c", child, str(beside)), has_figures=False), gpu.SHORTEST_S, tmp_path, findings)
    carry_out(Part("late", ("-c", "raise SystemExit('was begun')")), gpu.SHORTEST_S - 1, tmp_path, findings)
    assert findings.notes == [
        "wrong failed: found no wheel",
        "endless was ended after 10 s, when no time was left",
        "late was not begun: no time was left",
    ]
    assert is_gone(int(beside.read_text()), within_s=30.0)  # what it had begun, too


def test_steps_are_held_against_the_ceilings_of_their_precision() -> None:
    step = "engine.live.tensorrt.fp16.rows_64"
    figures = {f"{step}.ms": 0.5, f"{step}.gflop": 10.0, f"{step}.traffic_mb": 100.0, f"{step}.ms_per_row": 0.01}
    ceilings = {"ceiling.fp16.tflops": 80.0, "ceiling.fp32.tflops": 1.0, "ceiling.copy.gb_per_s": 1000.0}
    shares = shares_of_ceilings(figures | ceilings)
    assert shares == {
        f"{step}.share_of_arithmetic": pytest.approx(0.25),
        f"{step}.share_of_traffic": pytest.approx(0.2),
    }
    assert shares_of_ceilings(figures) == {}


def moves_a_face(bundle: Bundle) -> bool:
    frames = animate(babble(0, 16_000, 1.0), StreamOptions(), open_pipeline(str(bundle.folder)))
    return frames.count >= 30 and float(frames.weights.max()) > 0.0


@pytest.mark.slow
def test_bundles_like_the_papers_run(tmp_path: Path) -> None:
    speech = SpeechTransformerShape(channels=16, width=24, layers=1, heads=2, hidden=32, position_groups=4)
    assert moves_a_face(
        write_diffposetalk(tmp_path / "small", DenoiserShape(width=32, layers=2, heads=2, hidden=48), speech)
    )
    assert moves_a_face(write_deeptalk(tmp_path / "another", SMALL))


@pytest.mark.slow
def test_the_pack_runs_offline_from_its_script(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    words = ["--variants", "onnx-cpu.fp32", "--device", "cpu", "--models", "live", "--full-size", "--rows", "2"]
    words += ["--no-streams", "--minutes", "15"]
    subprocess.run(
        [ROOT / "benchmarks" / "gpu_pack.sh", tmp_path / "wheels", tmp_path / "out", *words],
        check=True, env=os.environ | {"PYTHON": sys.executable}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert found["figures"]["engine.live.onnx-cpu.fp32.rows_2.share_of_arithmetic"] > 0.0
    assert found["figures"]["torch_graph.live.fp32.rows_2.ms"] > 0.0
    assert found["figures"]["parity.live.onnx-cpu.fp32.batch.rows_2.max"] < 1e-5
    assert "engine_live: " in (tmp_path / "out" / "log").read_text()
