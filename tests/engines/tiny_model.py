"""A small seeded model with the graph contract of a bundle: two causal layers whose state is explicit."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HOP = 320
WIDTH = 12
MOTION_SIZE = 54
PHONES = ["sil", "PP", "aa"]
LOOKAHEAD = 960


def write_tiny_bundle(folder: Path, *, name: str = "tiny", changes: dict[str, Any] | None = None) -> Path:
    """A complete bundle in `folder`; `changes` replaces manifest keys (a value of `None` drops the key)."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = _model().SerializeToString()
    (folder / "tiny.onnx").write_bytes(graph)
    manifest: dict[str, Any] = {
        "schema_version": 1,
        "family": "live",
        "name": name,
        "version": "1.0.0",
        "graph": "tiny.onnx",
        "sample_rate_hz": 16000,
        "hop_samples": HOP,
        "motion_rate": "50/1",
        "lookahead_samples": LOOKAHEAD,
        "inputs": [{"name": "pcm", "shape": ["B", "320*S"]}],
        "states": [{"name": "state_first", "shape": [2, WIDTH]}, {"name": "state_second", "shape": [2, WIDTH]}],
        "outputs": {"expression": 50, "jaw": 3, "extras": ["tongueOut"]},
        "phone_classes": PHONES,
        "head_digest": "0" * 64,
        "licence": "Apache-2.0",
        "training": {"seed": 7},
        "files": {"tiny.onnx": hashlib.sha256(graph).hexdigest()},
    }
    manifest.update(changes or {})
    manifest = {key: value for key, value in manifest.items() if value is not None}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _model() -> onnx.ModelProto:
    rng = np.random.default_rng(7)

    def weight(name: str, *shape: int, scale: float) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.standard_normal(shape) * scale).astype(np.float32), name)

    def ints(name: str, *values: int) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), name)

    nodes = [
        helper.make_node("Reshape", ["pcm", "hops"], ["framed"]),  # [B, S, 320]
        helper.make_node("MatMul", ["framed", "basis"], ["projected"]),
        helper.make_node("Abs", ["projected"], ["features"]),
    ]
    source = "features"
    for layer in ("first", "second"):
        state, following = f"state_{layer}", f"next_state_{layer}"
        nodes += [
            helper.make_node("Concat", [state, source], [f"{layer}_long"], axis=1),  # [B, 2 + S, W]
            helper.make_node("Slice", [f"{layer}_long", "minus_two", "far", "time_axis"], [following]),
            helper.make_node("Transpose", [f"{layer}_long"], [f"{layer}_turned"], perm=[0, 2, 1]),
            helper.make_node("Conv", [f"{layer}_turned", f"{layer}_kernel"], [f"{layer}_filtered"]),
            helper.make_node("Tanh", [f"{layer}_filtered"], [f"{layer}_bent"]),
            helper.make_node("Transpose", [f"{layer}_bent"], [f"{layer}_output"], perm=[0, 2, 1]),
        ]
        source = f"{layer}_output"
    nodes += [
        helper.make_node("MatMul", [source, "to_motion"], ["motion"]),
        helper.make_node("MatMul", [source, "to_phone"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["phone"], axis=2),
    ]
    to_motion = rng.standard_normal((WIDTH, MOTION_SIZE)).astype(np.float32) * 0.02
    to_motion[:, 50] = np.abs(to_motion[:, 50]) * 4  # the jaw mostly opens
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("pcm", TensorProto.FLOAT, ["B", "T"]),
            *(
                helper.make_tensor_value_info(f"state_{n}", TensorProto.FLOAT, ["B", 2, WIDTH])
                for n in ("first", "second")
            ),
        ],
        [
            helper.make_tensor_value_info("motion", TensorProto.FLOAT, ["B", "S", MOTION_SIZE]),
            helper.make_tensor_value_info("phone", TensorProto.FLOAT, ["B", "S", len(PHONES)]),
            *(
                helper.make_tensor_value_info(f"next_state_{n}", TensorProto.FLOAT, ["B", 2, WIDTH])
                for n in ("first", "second")
            ),
        ],
        [
            ints("hops", 0, -1, HOP),
            ints("minus_two", -2),
            ints("far", 2**31),
            ints("time_axis", 1),
            weight("basis", HOP, WIDTH, scale=0.6),
            weight("first_kernel", WIDTH, WIDTH, 3, scale=0.2),
            weight("second_kernel", WIDTH, WIDTH, 3, scale=0.2),
            numpy_helper.from_array(to_motion, "to_motion"),
            weight("to_phone", WIDTH, len(PHONES), scale=1.0),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
