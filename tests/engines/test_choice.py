"""Choosing an engine: what is missing is said in one line, and with `auto` something always runs."""

import logging
import sys
import warnings
from pathlib import Path

import pytest
from cuda.bindings import runtime as cudart

from facestream.cli.app import main
from facestream.engines.bundle import open_bundle
from facestream.engines.choice import (
    AUTO,
    CUDA,
    INT8,
    ONNX,
    TENSORRT,
    Backend,
    EngineOptions,
    open_onnx,
    open_tensorrt,
    open_with,
)
from facestream.engines.cuda import check_driver, check_memory
from facestream.engines.onnx import OnnxEngine
from facestream.engines.tensorrt_library import TensorRtLibrary, installed_libraries, library_for
from facestream.errors import EngineUnavailable, InvalidValue, NotFound

LIBRARIES = ("tensorrt_rtx_bindings", "tensorrt_rtx", "tensorrt")
NO_DRIVER = pytest.mark.skipif(cudart.cudaDriverGetVersion()[1] > 0, reason="this machine has an NVIDIA driver")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of `facestream ARGUMENTS`."""
    monkeypatch.setattr("sys.argv", ["facestream", *arguments])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_wrong_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"'abacus'.*there is: auto, cuda, onnx, tensorrt$"):
        EngineOptions("abacus")


@pytest.mark.parametrize(
    ("engine", "precision"), [(AUTO, "fp8"), (ONNX, "fp16"), (CUDA, "int8"), (CUDA, "fp16"), (TENSORRT, "int8")]
)
def test_a_precision_that_an_engine_has_not_is_refused(engine: str, precision: str) -> None:
    with pytest.raises(
        InvalidValue, match=rf"precision: got {precision} with engine {engine}; .*tensorrt: fp32 or fp16"
    ):
        EngineOptions(engine, precision=precision)


@NO_DRIVER
@pytest.mark.usefixtures("library")
def test_without_a_driver_tensorrt_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EngineUnavailable, match=r"no NVIDIA driver is installed; .*580.*--engine onnx$"):
        open_with(EngineOptions(TENSORRT), lambda backend: backend.told)
    with caplog.at_level(logging.INFO):
        assert open_with(EngineOptions(AUTO), lambda backend: backend.told) == open_onnx(EngineOptions(ONNX)).told
    (line,) = [record.getMessage() for record in caplog.records]
    assert "ONNX Runtime takes its place: no NVIDIA driver" in line


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_extra_it_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert installed_libraries() == ()
    with pytest.raises(EngineUnavailable, match=r"needs an extra: pip install 'facestream\[tensorrt-rtx\]'"):
        open_tensorrt(EngineOptions(TENSORRT))
    with caplog.at_level(logging.DEBUG):
        assert open_with(EngineOptions(AUTO), lambda backend: backend.told) == open_onnx(EngineOptions(ONNX)).told
    assert not caplog.records  # who has not installed it does not miss it
    with pytest.raises(EngineUnavailable, match="no TensorRT is installed"):
        library_for((8, 6), installed_libraries())


@pytest.mark.usefixtures("library")
def test_half_an_extra_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    for module in ("cuda", "tensorrt", "tensorrt_graph", "tensorrt_backend"):
        monkeypatch.delitem(sys.modules, f"facestream.engines.{module}", raising=False)
    with pytest.raises(EngineUnavailable, match=r"needs the package 'cuda\.bindings': pip install"):
        open_tensorrt(EngineOptions(TENSORRT))


def test_onnx_asks_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facestream.engines.choice.is_installed", lambda: pytest.fail("asked for TensorRT"))
    engine = open_with(EngineOptions(ONNX), lambda backend: backend.open_live(open_bundle("live")))
    assert isinstance(engine, OnnxEngine)


def test_8_bits_mean_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for asked in ("is_installed", "has_cuda"):
        monkeypatch.setattr(f"facestream.engines.choice.{asked}", lambda: True)
    assert open_with(EngineOptions(AUTO, precision=INT8), lambda backend: backend.told).endswith("CPU, in 8 bits")


def test_cuda_is_refused_by_a_build_for_cpus_and_not_missed_by_auto(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EngineUnavailable, match=r"one for CPUs: pip uninstall .*onnxruntime-gpu.*--engine onnx$"):
        open_with(EngineOptions(CUDA), lambda backend: backend.told)
    with caplog.at_level(logging.INFO):
        open_with(EngineOptions(AUTO), lambda backend: backend.told)
    assert "CUDA takes its place" not in caplog.text


def test_a_build_for_cuda_without_a_device_gives_way_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # ONNX Runtime leaves out a provider that it can not start; on this machine that is what becomes of CUDA
    monkeypatch.setattr("facestream.engines.choice.is_installed", lambda: False)
    for module in ("choice", "onnx_sessions"):
        monkeypatch.setattr(f"facestream.engines.{module}.has_cuda", lambda: True)
    with caplog.at_level(logging.INFO), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own word on the provider
        engine = open_with(EngineOptions(AUTO), lambda backend: backend.open_live(open_bundle("live")))
    assert engine.name == "onnx-cpu"
    assert (
        "ONNX Runtime with CUDA is installed and not used, ONNX Runtime takes its place: engine 'cuda'" in caplog.text
    )


def test_what_one_engine_can_not_open_the_next_one_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("facestream.engines.choice.is_installed", lambda: True)
    monkeypatch.setattr("facestream.engines.choice.open_tensorrt", lambda options: open_onnx(options))
    asked: list[Backend] = []

    def refuse_the_first(backend: Backend) -> int:
        asked.append(backend)
        if len(asked) == 1:
            raise EngineUnavailable("live.onnx: needs 900 MB on the device")
        return len(asked)

    with caplog.at_level(logging.INFO):
        assert open_with(EngineOptions(AUTO), refuse_the_first) == 2
    assert "needs 900 MB" in caplog.text
    asked.clear()
    with pytest.raises(EngineUnavailable):
        open_with(EngineOptions(TENSORRT), refuse_the_first)


@pytest.mark.parametrize(
    ("cuda", "said"), [(0, "no NVIDIA driver is installed"), (12_040, "supports CUDA 12.4, 13.0 is needed")]
)
def test_a_driver_that_is_missing_or_old_is_named(cuda: int, said: str) -> None:
    with pytest.raises(EngineUnavailable, match=rf"{said}.*580 or newer"):
        check_driver(cuda)
    check_driver(13_010)


def test_too_little_memory_is_told_in_numbers() -> None:
    with pytest.raises(EngineUnavailable, match="live needs 300 MB on the device, 100 MB are free"):
        check_memory(300 << 20, 100 << 20, "live")
    check_memory(100 << 20, 100 << 20, "live")


def test_a_device_finds_its_library_or_is_told_which_are_there(library: TensorRtLibrary) -> None:
    assert library_for((8, 6), [library]) is library
    with pytest.raises(EngineUnavailable, match=r"compute capability 9\.0, which tensorrt-rtx .* can not build for"):
        library_for((9, 0), [library])


@NO_DRIVER
@pytest.mark.usefixtures("library")
def test_the_server_refuses_to_start_on_an_engine_that_can_not_work(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    serve = ("serve", "--port", "0", "--check", "--log-level", "error")
    assert run(monkeypatch, *serve, "--engine", "tensorrt") == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "no NVIDIA driver is installed" in line
    assert "--engine onnx" in line
    assert run(monkeypatch, *serve, "--engine", "trt") == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "'trt'" in line
    assert "'auto', 'onnx', 'cuda' or 'tensorrt'" in line


@NO_DRIVER
@pytest.mark.usefixtures("library")
def test_the_server_starts_on_another_engine_by_itself(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "serve", "--port", "0", "--check", "--engine", "auto") == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if "TensorRT" in line]
    assert len(lines) == 1
    assert "ONNX Runtime takes its place" in lines[0]
    assert "facestream.engines" not in lines[0], "told as if there were no other process"


@NO_DRIVER
def test_doctor_tells_which_engines_work_and_why_others_do_not(
    library: TensorRtLibrary, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("facestream.cli.doctor.list_bundles", dict)  # they are timed in another test
    assert run(monkeypatch, "doctor") == 0
    lines = capfd.readouterr().out.splitlines()

    def told(subject: str) -> str:
        (line,) = [line for line in lines if f" {subject} " in line]
        return line

    assert "usable: ONNX Runtime" in told("engine onnx")
    assert f"version {library.version}, for devices of 7.5, 8.0" in told(library.flavour)
    assert told("engine tensorrt").startswith("note")
    assert "not usable: no NVIDIA driver is installed" in told("engine tensorrt")
