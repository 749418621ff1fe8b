"""ONNX Runtime for `live` models that have a graph for one hop: it keeps what streams remember itself, in rings.

The row of a stream in the server's table is the number of its ring, as on a GPU (`engines.tensorrt`): all the state
that a stream takes along is that number and how many hops it has heard, and nobody keeps a second list of who lives
where. Several hops at once, as recordings take them, go through the graph for any number of hops.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import onnxruntime

from facestream.engines.base import ROW, BatchState, StepOutput, TensorSpec
from facestream.engines.bundle import Bundle
from facestream.engines.onnx import OnnxEngine, run_session
from facestream.engines.onnx_sessions import OpenSession, open_on_cpu
from facestream.engines.rings import Numbers, Rings, RingShape
from facestream.errors import BundleError, EngineError
from facestream.types import Float32

HOPS = "state_hops"
"""How many hops a stream has heard; 0 where it begins, whoever had the row before."""
_NEW = "new_"
_TURNS = 1000
"""Hops are counted up to twice so many turns of all rings, then from once on: a float32 tells them all apart."""


class OnnxHopEngine(OnnxEngine):
    """A second session, over the same weights, for steps of a single hop."""

    max_rows = 96
    """A row costs 6 % less in a step of 96 than in one of 64, and no less in one of 128 (one core, 2026-11-22)."""

    def __init__(self, bundle: Bundle, hop_graph: str, open_session: OpenSession = open_on_cpu) -> None:
        """Raises `BundleError` where the graph `hop_graph` of the bundle does not fit the other one."""
        super().__init__(bundle, open_session)
        self._hop_session = open_session(bundle.folder / hop_graph)
        self._hop_outputs = ["motion", "phone", *(_NEW + name for name in self._state_names)]
        self._shapes = {spec.name: spec.shape for spec in self.model.states}
        self._rings: dict[tuple[str, ...], Rings] = {}
        """By the names of the states that are layers of each."""
        of_shape = {spec.name: _ring_shape(self._hop_session, spec, bundle) for spec in self.model.states}
        for shape in dict.fromkeys(of_shape.values()):
            names = tuple(name for name in of_shape if of_shape[name] == shape)
            self._rings[names] = Rings(shape, len(names))
        self._most_hops = 2 * _TURNS * math.lcm(*(shape.length for shape in of_shape.values()))
        self.model = bundle.model.with_states(TensorSpec(ROW, ()), TensorSpec(HOPS, ()))

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        """See `Engine`. `state` holds the number of each stream's row, counted from 1, no two alike."""
        rows, hops = (state[name].astype(np.intp) for name in (ROW, HOPS))
        if rows.min() < 1 or len(np.unique(rows)) < len(rows):
            raise EngineError(f"rows must have numbers of their own, from 1 on; got {rows.tolist()}")
        slots = rows - 1
        if not hops.all():
            for rings in self._rings.values():
                rings.clear(slots[hops == 0])
        hop_count = pcm.shape[1] // self.model.hop_samples
        motion, phone = (
            self._one_hop(pcm, slots, hops) if hop_count == 1 else self._several(pcm, slots, hops, hop_count)
        )
        following = hops + hop_count
        following[following >= self._most_hops] -= self._most_hops // 2
        return StepOutput(motion, phone, {ROW: state[ROW], HOPS: following.astype(np.float32)})

    def _one_hop(self, pcm: Float32, slots: Numbers, hops: Numbers) -> tuple[Float32, Float32]:
        heard = self._by_name(rings.heard(slots, hops) for rings in self._rings.values())
        motion, phone, *new = run_session(self._hop_session, self._hop_outputs, {"pcm": pcm} | heard)
        moments = dict(zip(self._state_names, new, strict=True))
        for names, rings in self._rings.items():
            rings.add(slots, hops, [moments[name] for name in names])
        return motion, phone

    def _several(self, pcm: Float32, slots: Numbers, hops: Numbers, hop_count: int) -> tuple[Float32, Float32]:
        output = super().step(pcm, self._by_name(rings.whole(slots, hops) for rings in self._rings.values()))
        for names, rings in self._rings.items():
            rings.replace(slots, hops + hop_count, [output.next_state[name] for name in names])
        return output.motion, output.phone

    def _by_name(self, moments: Iterable[Sequence[Float32]]) -> dict[str, Float32]:
        """Those of all rings as the graphs take them: a state of one axis is a single moment."""
        found: dict[str, Float32] = {}
        for names, layers in zip(self._rings, moments, strict=True):
            found |= zip(names, layers, strict=True)
        return {name: one if len(self._shapes[name]) > 1 else one[:, 0] for name, one in found.items()}

    def _fresh_state(self, row_count: int) -> BatchState:
        return {ROW: np.arange(1, row_count + 1, dtype=np.float32), HOPS: np.zeros(row_count, np.float32)}


def _ring_shape(session: onnxruntime.InferenceSession, spec: TensorSpec, bundle: Bundle) -> RingShape:
    """For a state that the manifest has, by what the graph takes and gives of it."""
    *moments, width = spec.shape
    length = moments[0] if moments else 1
    taken = {tensor.name: tensor.shape[1:] for tensor in session.get_inputs()}.get(spec.name, [])
    given = {tensor.name: tensor.shape[1:] for tensor in session.get_outputs()}.get(_NEW + spec.name, [])
    heard, added = (shape[0] if moments and len(shape) == 2 else 1 for shape in (taken, given))
    fits = [shape[-1:] == [width] and len(shape) == len(spec.shape) for shape in (taken, given)]
    if not all(fits) or not 0 < heard <= length or length % heard or not 0 < added <= length:
        raise BundleError(
            f"{bundle.folder}: found a graph for one hop that takes {taken} and gives {given} of {spec.name!r}; "
            f"expected an evenly spaced part of {list(spec.shape)} (manifest.json); export the bundle again"
        )
    return RingShape(length, width, heard, added)
