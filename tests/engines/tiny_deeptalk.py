"""A small seeded model with the graph contract of a deeptalk bundle, made without torch.

What it says of a frame depends on a few frames around it, on the emotion and the speaker, and it chooses codes as the
true networks do: the largest of logits plus noise. It hears words hop by hop, each frame with what came before it, or
with `hears_hops=False` in windows as a whole.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facestream.retarget.profile import load_profile

CODE = 2560
WIDTH, CODES, HIDDEN = 6, 16, 8
HOP = CODE // 4
STATES = {"sound": (2, HIDDEN)}
"""What hearing hop by hop remembers: two frames."""
SPEAKERS = ["first", "second", "third"]
PHONES = ["sil", "PP", "aa"]
PRESETS = ("neutral", "happy", "sad")


def write_tiny_deeptalk(
    folder: Path,
    *,
    name: str = "tiny-deeptalk",
    longest_codes: int = 32,
    hears_hops: bool = True,
    changes: dict[str, Any] | None = None,
) -> Path:
    """A complete bundle in `folder`; `changes` replaces manifest keys (a value of `None` stays `null`)."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_hear(), folder / "emotion.onnx")
    onnx.save(_move(hears_hops), folder / "motion.onnx")
    random = np.random.default_rng(5)
    mean = random.standard_normal((len(PRESETS), WIDTH)).astype(np.float32)
    spread = np.full((len(PRESETS), WIDTH), -1.0, np.float32)
    np.savez(folder / "presets.npz", names=np.array(PRESETS), mean=mean, log_variance=spread)
    files = ["emotion.onnx", "motion.onnx", "presets.npz"]
    top, bottom, motion = ["B", "K", CODES], ["B", "2*K", CODES], ["B", "4*K", 53]
    pcm = ["B", f"{CODE}*K"]
    listening = []
    if hears_hops:
        onnx.save(_listen(), folder / "content.onnx")
        files.append("content.onnx")
        carried = {f"state_{name}": ["B", *shape] for name, shape in STATES.items()}
        words = {"content": ["B", "H", HIDDEN], "phone": ["B", "2*H", len(PHONES)]}
        listening.append(
            {
                "file": "content.onnx",
                "inputs": {"pcm": ["B", f"{HOP}*H"], **carried},
                "outputs": words | {f"next_{name}": axes for name, axes in carried.items()},
            }
        )
    manifest: dict[str, Any] = {
        "schema_version": 1,
        "family": "deeptalk",
        "name": name,
        "version": "1.0.0",
        "graphs": [
            {
                "file": "emotion.onnx",
                "inputs": {"pcm": pcm},
                "outputs": {"mean": ["B", WIDTH], "log_variance": ["B", WIDTH]},
            },
            {
                "file": "motion.onnx",
                "inputs": {
                    **({"content": ["B", "4*K", HIDDEN]} if hears_hops else {"pcm": pcm}),
                    "emotion": ["B", WIDTH],
                    "actor": ["B", len(SPEAKERS)],
                    "top_noise": top,
                    "bottom_noise": bottom,
                },
                "outputs": {"motion": motion, "top": top, "bottom": bottom},
            },
            *listening,
        ],
        "sample_rate_hz": 16000,
        "code_samples": CODE,
        "motion_rate": "25/1",
        "longest_samples": longest_codes * CODE,
        "window": {"past_codes": 4, "ahead_codes": 2},
        "hearing": {"codes": 62, "every": 62},
        "emotion_width": WIDTH,
        "codes": CODES,
        "speakers": SPEAKERS,
        "presets": "presets.npz",
        "profile": None,
        "outputs": {"expression": 50, "jaw": 3, "extras": []},
        "phone_classes": PHONES if hears_hops else [],
        "head_digest": load_profile().head_digest,
        "licence": "Apache-2.0",
        "training": {"seed": 5},
        "files": {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files},
    }
    manifest.update(changes or {})
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


class _Graph:
    """Nodes in the order in which they are asked for; weights are drawn as they come."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []

    def weight(self, *shape: int, scale: float = 1.0) -> str:
        values = self._random.standard_normal(shape) * scale / np.sqrt(np.prod(shape[:-1]))
        return self.constant(values.astype(np.float32))

    def constant(self, values: Any) -> str:
        name = f"stored_{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def __call__(self, kind: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        to = to or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [to], **attributes))
        return to

    def model(self, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> onnx.ModelProto:
        def told(shapes: dict[str, list[Any]]) -> list[onnx.ValueInfoProto]:
            return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

        graph = helper.make_graph(self.nodes, "tiny", told(inputs), told(outputs), self.stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model

    def frames(self, seed_scale: float) -> str:
        """Features `[B, 4 K, HIDDEN]` of the sound."""
        framed = self("Reshape", "pcm", self.constant(np.array([0, -1, CODE // 4], np.int64)))
        return self("Tanh", self("MatMul", framed, self.weight(CODE // 4, HIDDEN, scale=seed_scale)))

    def along_time(self, x: str, width: int, kernel: int, out: int, scale: float = 1.0) -> str:
        turned = self("Transpose", x, perm=[0, 2, 1])
        weight = self.constant(
            (self._random.standard_normal((out, width, kernel)) * scale / np.sqrt(width * kernel)).astype(np.float32)
        )
        mixed = self("Conv", turned, weight, pads=[kernel // 2, kernel // 2])
        return self("Transpose", mixed, perm=[0, 2, 1])

    def halved(self, x: str, width: int, times: int) -> str:
        grouped = self("Reshape", x, self.constant(np.array([0, -1, times, width], np.int64)))
        return self("ReduceMean", grouped, self.constant(np.array([2], np.int64)), keepdims=0)

    def doubled(self, x: str, width: int) -> str:
        apart = self("Unsqueeze", x, self.constant(np.array([2], np.int64)))
        twice = self("Concat", apart, apart, axis=2)
        return self("Reshape", twice, self.constant(np.array([0, -1, width], np.int64)))

    def chosen(self, logits: str, noise: str) -> str:
        code = self("ArgMax", self("Add", logits, noise), axis=2, keepdims=0)
        values = self.constant(np.array([0.0, 1.0], np.float32))
        return self("OneHot", code, self.constant(np.array(CODES, np.int64)), values, axis=-1)


def _hear() -> onnx.ModelProto:
    g = _Graph(1)
    loud = g("ReduceMean", g.frames(9.0), g.constant(np.array([1], np.int64)), keepdims=0)
    mean = g("Add", g("MatMul", loud, g.weight(HIDDEN, WIDTH, scale=4.0)), g.weight(1, WIDTH, scale=0.5))
    length = g("ReduceL2", mean, g.constant(np.array([1], np.int64)), keepdims=1)
    g("Div", mean, length, to="mean")
    g("Tanh", g("MatMul", loud, g.weight(HIDDEN, WIDTH)), to="log_variance")
    return g.model({"pcm": ["B", "T"]}, {"mean": ["B", WIDTH], "log_variance": ["B", WIDTH]})


def _listen() -> onnx.ModelProto:
    """The words of a frame: the sound of its own hop and the next one, and of the two before."""
    g = _Graph(3)
    every = g("Concat", "state_sound", g.frames(9.0), axis=1)
    turned = g("Transpose", every, perm=[0, 2, 1])
    weight = g.weight(HIDDEN, HIDDEN, 3, scale=2.0)
    mixed = g("Tanh", g("Transpose", g("Conv", turned, weight), perm=[0, 2, 1]))
    g("Identity", mixed, to="content")
    steps = g.constant(np.array([0, -1, len(PHONES)], np.int64))
    phones = g("Reshape", g("MatMul", mixed, g.weight(HIDDEN, 2 * len(PHONES), scale=2.0)), steps)
    g("Softmax", phones, axis=2, to="phone")
    first, last, axis = (g.constant(np.array([number], np.int64)) for number in (-2, 2**31, 1))
    g("Slice", every, first, last, axis, to="next_state_sound")
    return g.model(
        {"pcm": ["B", "T"], "state_sound": ["B", 2, HIDDEN]},
        {
            "content": ["B", "H", HIDDEN],
            "phone": ["B", "S", len(PHONES)],
            "next_state_sound": ["B", 2, HIDDEN],
        },
    )


def _move(hears_hops: bool) -> onnx.ModelProto:
    g = _Graph(2)
    sound = "content" if hears_hops else g.frames(9.0)
    style = g(
        "Add",
        g("MatMul", "emotion", g.weight(WIDTH, HIDDEN, scale=3.0)),
        g("MatMul", "actor", g.weight(len(SPEAKERS), HIDDEN)),
    )
    said = g("Add", sound, g("Unsqueeze", style, g.constant(np.array([1], np.int64))))
    face = g("Tanh", g.along_time(said, HIDDEN, 9, HIDDEN, scale=2.0))
    g("MatMul", g.halved(face, HIDDEN, 4), g.weight(HIDDEN, CODES, scale=4.0), to="top")
    coarse = g.doubled(g("MatMul", g.chosen("top", "top_noise"), g.weight(CODES, HIDDEN, scale=4.0)), HIDDEN)
    fine = g("Add", g.halved(face, HIDDEN, 2), coarse)
    g("MatMul", fine, g.weight(HIDDEN, CODES, scale=4.0), to="bottom")
    told = g("Add", g("MatMul", g.chosen("bottom", "bottom_noise"), g.weight(CODES, HIDDEN, scale=4.0)), coarse)
    g("Identity", g.along_time(g.doubled(told, HIDDEN), HIDDEN, 5, 53, scale=0.15), to="motion")
    return g.model(
        {
            **({"content": ["B", "F", HIDDEN]} if hears_hops else {"pcm": ["B", "T"]}),
            "emotion": ["B", WIDTH],
            "actor": ["B", len(SPEAKERS)],
            "top_noise": ["B", "K", CODES],
            "bottom_noise": ["B", "K2", CODES],
        },
        {"motion": ["B", "F", 53], "top": ["B", "K", CODES], "bottom": ["B", "K2", CODES]},
    )
