"""Graph files as sessions of ONNX Runtime: on the CPU, on the CPU in 8 bits, on a GPU with CUDA."""

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import onnxruntime
from google.protobuf.message import DecodeError

from facestream.errors import BundleError, EngineUnavailable

OpenSession = Callable[[Path], onnxruntime.InferenceSession]
"""Opens a graph file. Raises `BundleError`, or `EngineUnavailable` where it can not run so."""

CUDA_PROVIDER, CPU_PROVIDER = "CUDAExecutionProvider", "CPUExecutionProvider"
INSTALL_CUDA = "pip uninstall onnxruntime, then pip install 'onnxruntime-gpu[cuda,cudnn]'"
INSTALL_INT8 = "pip install 'facestream[int8]'"

_SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""The fused kernel is slower than its parts: a two-hop step of 50 rows takes 12.1 ms with it and 10.5 without
(onnxruntime 1.31.1, one core, 2026-11-21)."""


def open_on_cpu(graph_path: Path, thread_count: int = 1) -> onnxruntime.InferenceSession:
    """A session that leaves the cores to others while it waits. Raises `BundleError`."""
    return _open(graph_path, graph_path, thread_count, [CPU_PROVIDER])


def open_in_8_bits(graph_path: Path, thread_count: int = 1) -> onnxruntime.InferenceSession:
    """The same with large products in 8 bits (`onnx_int8`). Raises `BundleError`, and `EngineUnavailable`."""
    try:
        import onnx

        from facestream.engines.onnx_int8 import with_int8_products
    except ImportError as error:
        raise EngineUnavailable(f"precision 'int8' needs an extra: {INSTALL_INT8}; or use --precision fp32") from error
    try:
        changed = with_int8_products(onnx.load(graph_path))
    except DecodeError:
        return open_on_cpu(graph_path, thread_count)  # says what is wrong with a broken file
    except ValueError as error:
        raise EngineUnavailable(
            f"{graph_path}: can not be computed in 8 bits: {error}; use --precision fp32"
        ) from error
    return _open(graph_path, changed.SerializeToString(), thread_count, [CPU_PROVIDER])


def has_cuda() -> bool:
    """Whether the ONNX Runtime that is installed was built for CUDA."""
    return CUDA_PROVIDER in onnxruntime.get_available_providers()


def check_cuda() -> None:
    """Raises `EngineUnavailable` where ONNX Runtime was built for CPUs only."""
    if not has_cuda():
        raise EngineUnavailable(
            f"engine 'cuda' needs another build of ONNX Runtime, this is one for CPUs: {INSTALL_CUDA}; "
            "or use --engine onnx"
        )


def open_with_cuda(graph_path: Path) -> onnxruntime.InferenceSession:
    """A session on the first GPU, in full float32. Raises `BundleError`, and `EngineUnavailable`."""
    check_cuda()
    with redirect_stdout(sys.stderr):  # it prints what it misses
        onnxruntime.preload_dlls()  # CUDA and cuDNN may be Python packages, which no loader would look into
    session = _open(graph_path, graph_path, 1, [(CUDA_PROVIDER, {"use_tf32": "0"}), CPU_PROVIDER])
    if session.get_providers()[0] != CUDA_PROVIDER:  # ONNX Runtime goes on without it by itself
        raise EngineUnavailable(
            "engine 'cuda': ONNX Runtime found no device, driver, CUDA or cuDNN that it can use, and said above which; "
            f"{INSTALL_CUDA}; or use --engine onnx"
        )
    return session


def _open(
    graph_path: Path, graph: Path | bytes, thread_count: int, providers: Sequence[str | tuple[str, dict[str, Any]]]
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # The cores are shared with the server's loop (and often with a game): waiting threads must sleep.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            graph, options, providers=list(providers), disabled_optimizers=_SLOW_FUSIONS
        )
    except Exception as error:  # ONNX Runtime's own errors share no base class of theirs
        raise BundleError(
            f"{graph_path}: found a graph that ONNX Runtime {onnxruntime.__version__} can not load ({error}); "
            "expected an ONNX model; export the bundle again or update onnxruntime"
        ) from error
