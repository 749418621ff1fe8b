"""Writes networks as ONNX graphs and holds each file to torch.

The tracing exporter of torch is used on purpose: the newer one solves the convolutions' lengths symbolically, which
takes 16 s of processor time for four layers of 32 channels where tracing takes 0.7 s (2026-11-21, torch 2.13). A traced
graph may have fixed what should be free, so `check_graph` belongs after it, at another length and batch size.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from facestream.errors import EngineError
from facestream_models.export.fourier import with_computed_tables
from facestream_models.export.lean import lean
from facestream_models.export.onnx import OPSET, with_half_storage

TOLERANCE = 1e-4
"""How far a graph's numbers may be from torch's."""

Shapes = dict[str, list[int | str]]
"""Axes of each input or output by name: a number, or text where a caller chooses."""


class Graph(nn.Module):
    """A network as one function from tensors to tensors; inputs in the order of `forward`."""

    inputs: Shapes
    outputs: Shapes


def write_graph(graph: Graph, inputs: Mapping[str, Tensor], path: Path) -> None:
    """Write `graph` as traced on `inputs`, as a small file.

    Large weights that float16 holds exactly are stored so, Fourier tables are computed at loading.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its age and of loops over recurrent state
        torch.onnx.export(
            graph,
            tuple(inputs[name] for name in graph.inputs),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes={
                name: {place: axis for place, axis in enumerate(axes) if isinstance(axis, str)}
                for name, axes in (graph.inputs | graph.outputs).items()
            },
        )
    model = lean(with_computed_tables(with_half_storage(onnx.load(path))))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def check_graph(graph: Graph, path: Path, inputs: Mapping[str, Tensor]) -> None:
    """Run the file and torch on `inputs` and compare. Raises `EngineError` naming the output that differs."""
    given = {name: inputs[name] for name in graph.inputs}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(list(graph.outputs), {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        expected = graph(*given.values())
    if isinstance(expected, Tensor):
        expected = (expected,)
    for name, ours, theirs in zip(graph.outputs, found, expected, strict=True):
        apart = float(np.abs(ours - theirs.numpy()).max()) if ours.shape == tuple(theirs.shape) else float("inf")
        if not apart <= TOLERANCE:
            raise EngineError(
                f"{path}: {name} is {apart:.2g} away from torch's, at most {TOLERANCE} is right; "
                "convert with the versions of torch and onnxruntime that pyproject.toml names"
            )
