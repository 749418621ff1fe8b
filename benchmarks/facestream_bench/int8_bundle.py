"""A bundle whose products by weights are in 8 bits, made of one that ships: what parity says of it is the price.

Dynamic quantisation by ONNX Runtime's own tool: weights by channel, activations as they come, with one scale for a
whole batch, so that a row depends on its neighbours. Constants are folded before: the tool sees no weights behind a
cast.
"""

import hashlib
import json
import logging
import tempfile
from pathlib import Path
from shutil import copytree

import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

from facestream.engines.bundle import MANIFEST, Bundle


def write_int8_bundle(bundle: Bundle, folder: Path) -> Path:
    """A copy of `bundle` in `folder` with every graph quantised; gives the folder, which opens as any other."""
    copytree(bundle.folder, folder, dirs_exist_ok=True)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for name in [name for name in manifest["files"] if name.endswith(".onnx")]:
        _quantise(bundle.folder / name, folder / name)
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _quantise(source: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(plain)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        model = onnx.load(plain)
        del model.graph.value_info[:]  # the tool turns weights round and would believe their old shapes
        onnx.save(model, plain)
        logging.disable(logging.WARNING)  # it asks for what was done above
        try:
            quantize_dynamic(plain, target, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
                             weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True})  # fmt: skip
        finally:
            logging.disable(logging.NOTSET)
