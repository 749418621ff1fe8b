"""The `live` network as one ONNX graph: PCM and state in, head motion, phone classes and next state out.

Speech curves become the motion of a head inside the graph, by the head's own matrix: the graph's last operation is
`motion = curves @ (arkit_to_motion restricted to the speech curves)`. Features are inside as well, so a step of a whole
batch of streams is one call.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facestream.curves import INDEX
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.corpus.coarticulation import CURVES
from facestream_models.live.network import HOP_SAMPLES, LiveNetwork

OPSET = 18
EXTRAS = ("tongueOut",)
STATE_PREFIX = "state_"
N = TypeVar("N", bound=nn.Module)


def curves_to_motion(profile: Path) -> NDArray[np.float32]:
    """Matrix `[15, 53 + extras]` from speech curves to motion, from a head's `rig_profile.npz`.

    A curve without side moves both sides. Raises ValueError when the profile's rows are not those of a head.
    """
    with np.load(profile, allow_pickle=False) as stored:
        names = [str(name) for name in stored["row_names"]]
        arkit_to_motion = np.asarray(stored["arkit_to_motion"], np.float32)
    wanted = [f"expression_{n:02d}" for n in range(EXPRESSION_COUNT)] + [f"jaw_{axis}" for axis in "xyz"]
    missing = [name for name in (*wanted, *EXTRAS) if name not in names]
    if missing or len(wanted) != EXPRESSION_COUNT + JAW_COUNT:
        raise ValueError(f"{profile}: no rows {missing[:3]}...; build the head's profile again")
    rows = arkit_to_motion[[names.index(name) for name in (*wanted, *EXTRAS)]]
    columns = []
    for curve in CURVES:
        shapes = [curve] if curve in INDEX else [curve + "Left", curve + "Right"]
        columns.append(rows[:, [INDEX[shape] for shape in shapes]].sum(axis=1))
    return np.stack(columns)


class LiveGraph(nn.Module):
    """What is exported: the network with its states as positional tensors, in the order of `state_names`."""

    def __init__(self, network: LiveNetwork, to_motion: NDArray[np.float32]) -> None:
        super().__init__()
        self.network = network
        self.state_names = list(network.fresh_state(1))
        self.register_buffer("to_motion", torch.from_numpy(to_motion.copy()), persistent=False)
        self.to_motion: Tensor

    def forward(self, pcm: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        """`pcm` [B, 640 S] -> motion [B, 2 S, D], phone [B, 2 S, 21], next states."""
        output, following = self.network(pcm, dict(zip(self.state_names, states, strict=True)))
        motion = output.curves @ self.to_motion
        return (motion, torch.softmax(output.logits, dim=2), *(following[name] for name in self.state_names))


def export_onnx(network: LiveNetwork, to_motion: NDArray[np.float32], target: Path) -> None:
    """Write `network` as ONNX with free batch size and number of hops; checks the file with the ONNX checker."""
    hops = torch.export.Dim("hops", min=1, max=65536)
    pcm = torch.zeros(3, HOP_SAMPLES * 7)
    model = exported(LiveGraph(network.eval(), to_motion), pcm, network.fresh_state(3), "next_", HOP_SAMPLES * hops)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def exported(
    graph: nn.Module, pcm: Tensor, states: Mapping[str, Tensor], gives: str, samples: Any = None
) -> onnx.ModelProto:
    """`graph` of `pcm` and `states` as ONNX with free batch size; what it gives of a state has the prefix `gives`.

    `samples` is the dimension of `pcm`, which is as long as it is here by default.
    """
    rows = torch.export.Dim("rows", min=1, max=4096)
    names = [STATE_PREFIX + name for name in states]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.onnx.export(
            graph.eval(),
            (pcm, list(states.values())),
            dynamo=True,
            opset_version=OPSET,
            input_names=["pcm", *names],
            output_names=["motion", "phone", *(gives + name for name in names)],
            dynamic_shapes=({0: rows} | ({} if samples is None else {1: samples}), [{0: rows} for _ in names]),
            optimize=True,
            verbose=False,
        )
    assert program is not None
    return with_half_storage(_without_origins(program.model_proto))


def round_to_half(network: N) -> N:
    """Round the large weights to values that float16 holds exactly, in place; they are stored in half the bytes.

    Codebooks are weights too, though no gradient moves them.
    """
    with torch.no_grad():
        for weight in network.state_dict().values():
            if weight.ndim > 1:
                weight.copy_(weight.half().float())
    return network


def with_half_storage(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store every large tensor whose values float16 holds exactly as float16, with a cast back to float32.

    ONNX Runtime does the cast once, when it loads the graph: arithmetic is float32 throughout.
    """
    casts = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        if values.size < 1024 or not np.array_equal(half.astype(np.float32), values):
            continue
        stored = f"{tensor.name}_half"
        casts.append(onnx.helper.make_node("Cast", [stored], [tensor.name], to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, stored))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _without_origins(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes about source files and stack traces: they are of no use and name folders."""
    graph = model.graph
    noted: list[Any] = [*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in noted:
        del part.metadata_props[:]
        part.doc_string = ""
    del model.metadata_props[:]
    del graph.metadata_props[:]
    return model
