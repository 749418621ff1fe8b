"""TensorRT for `live` models: a step of padded rows whose state never leaves the device.

The row of a stream in the server's table is its row on the device too, so nobody keeps a second list of who lives
where: the state that a stream takes along is that number, and whether it has heard anything. Streams that have not
begin with zeros, whoever had the row before.
"""

import statistics
import time
from collections.abc import Mapping
from typing import Final

import numpy as np

from facestream.engines.base import BUCKETS, ROW, BatchState, CostTable, ModelFacts, StepOutput, TensorSpec
from facestream.engines.cuda import DeviceMemory, Stream
from facestream.engines.tensorrt_graph import TensorRtGraph
from facestream.engines.tensorrt_profiles import MOST_HOPS, bucket_of
from facestream.engines.tensorrt_state import NEXT_STATE, STATE, copies_of, grown, state_width
from facestream.errors import EngineError
from facestream.types import Float32

HEARD = "state_heard"
"""0 where a stream begins, 1 from its first step on."""
_SMALLEST_TABLE = 64
_WARM_UP_RUNS, _UNRECORDED_RUNS = 8, 3
"""The first runs of a bucket compile and record; they cost what no later one does."""


class TensorRtEngine:
    """`graph` takes `pcm` and the packed state, and does one step after the other, whoever asks."""

    max_rows: Final = BUCKETS[-1]

    def __init__(self, name: str, model: ModelFacts, graph: TensorRtGraph) -> None:
        self.name = name
        self.model = model.with_states(TensorSpec(ROW, ()), TensorSpec(HEARD, ()))
        self._graph = graph
        self._width = state_width(model.states)
        self._row_bytes = 4 * self._width
        self._table = DeviceMemory(_SMALLEST_TABLE * self._row_bytes)
        self._capacity = _SMALLEST_TABLE
        self._costs = CostTable()

    def step(self, pcm: Float32, state: BatchState) -> StepOutput:
        """See `Engine`. `state` holds the number of each stream's row, counted from 1, no two alike."""
        rows, hops = len(pcm), pcm.shape[1] // self.model.hop_samples
        slots = (state[ROW].astype(np.int64) - 1).tolist()
        if min(slots) < 0 or len(set(slots)) < rows:
            raise EngineError(f"rows must have numbers of their own, from 1 on; got {state[ROW].tolist()}")
        if hops > MOST_HOPS:
            raise EngineError(f"a step of {hops} hops; the engine takes {MOST_HOPS} at most")
        fresh = [slot for slot, heard in zip(slots, state[HEARD].tolist(), strict=True) if not heard]
        bucket = bucket_of(rows)
        padded = np.zeros((bucket, pcm.shape[1]), np.float32)
        padded[:rows] = pcm

        def gather(stream: Stream, addresses: Mapping[str, int]) -> None:
            self._grow(slots, stream)  # here, where no other step is under way
            for slot in fresh:
                stream.clear(self._address(slot), self._row_bytes)
            for slot, place, count in copies_of(slots):
                to = addresses[STATE] + place * self._row_bytes
                stream.move(to, self._address(slot), count * self._row_bytes)

        def scatter(stream: Stream, addresses: Mapping[str, int]) -> None:
            for slot, place, count in copies_of(slots):
                source = addresses[NEXT_STATE] + place * self._row_bytes
                stream.move(self._address(slot), source, count * self._row_bytes)

        motion, phone = self._graph.run_beside(
            ["motion", "phone"], {"pcm": padded}, {STATE: (bucket, self._width)}, gather, scatter
        )
        following = {ROW: state[ROW], HEARD: np.ones(rows, np.float32)}
        return StepOutput(motion[:rows], phone[:rows], following)

    def warm_up(self) -> Mapping[int, float]:
        for bucket in BUCKETS:
            pcm = np.zeros((bucket, self.model.hop_samples), np.float32)
            state: BatchState = {
                ROW: np.arange(1, bucket + 1, dtype=np.float32),
                HEARD: np.zeros(bucket, np.float32),
            }
            seconds = []
            for _ in range(_WARM_UP_RUNS):
                begin = time.perf_counter()
                state = self.step(pcm, state).next_state
                seconds.append(time.perf_counter() - begin)
            self._costs.record(bucket, statistics.median(seconds[_UNRECORDED_RUNS:]))
        return self._costs.as_mapping()

    def cost_s(self, row_count: int) -> float:
        """What the bucket costs that so many rows are padded to."""
        return self._costs.cost_s(bucket_of(min(row_count, self.max_rows)))

    def _address(self, slot: int) -> int:
        return self._table.address + slot * self._row_bytes

    def _grow(self, slots: list[int], stream: Stream) -> None:
        capacity = grown(self._capacity, slots)
        if capacity == self._capacity:
            return
        table = DeviceMemory(capacity * self._row_bytes)
        stream.move(table.address, self._table.address, self._capacity * self._row_bytes)
        stream.wait()
        self._table, self._capacity = table, capacity
