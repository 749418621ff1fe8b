"""State in one vector: the same numbers as state by name, and rows that are copied to where they belong."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from hypothesis import given
from hypothesis import strategies as st

from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.tensorrt_profiles import graphs_of
from facestream.engines.tensorrt_state import copies_of, grown, packed_spec, state_width, with_packed_state
from tests.engines.tiny_model import write_tiny_bundle

SLOTS = st.lists(st.integers(0, 40), unique=True, max_size=41)


def check_packed(bundle: Bundle) -> None:
    states, hop = bundle.model.states, bundle.model.hop_samples
    model = onnx.load(bundle.graph_path)
    packed = with_packed_state(model, states)
    onnx.checker.check_model(packed)
    by_name, in_one = (
        onnxruntime.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"])
        for one in (model, packed)
    )
    (graph,) = graphs_of(bundle.live)
    spec = packed_spec(graph, states)
    assert [value.name for value in in_one.get_inputs()] == list(spec.inputs)
    assert [value.name for value in in_one.get_outputs()] == list(spec.outputs)
    random = np.random.default_rng(2)
    pcm = random.normal(0, 0.1, (3, 2 * hop)).astype(np.float32)
    carried = {one.name: random.normal(0, 1, (3, *one.shape)).astype(np.float32) for one in states}
    row = np.concatenate([carried[one.name].reshape(3, -1) for one in states], axis=1)
    assert row.shape == (3, state_width(states))
    outputs = [value.name for value in by_name.get_outputs()]
    expected = dict(zip(outputs, by_name.run(outputs, {"pcm": pcm, **carried}), strict=True))
    motion, phone, following = in_one.run(["motion", "phone", "next_state"], {"pcm": pcm, "state": row})
    np.testing.assert_allclose(motion, expected["motion"], atol=1e-6)
    np.testing.assert_allclose(phone, expected["phone"], atol=1e-6)
    together = np.concatenate([expected[f"next_{one.name}"].reshape(3, -1) for one in states], axis=1)
    np.testing.assert_allclose(following, together, atol=1e-6)
    assert np.abs(following - row).max() > 0.1


def test_a_graph_with_one_state_computes_what_the_one_with_many_does(tmp_path: Path) -> None:
    check_packed(Bundle.open(write_tiny_bundle(tmp_path)))
    check_packed(open_bundle("live"))


@given(SLOTS)
def test_rows_are_brought_together_and_back_again(slots: list[int]) -> None:
    table = np.arange(41)
    batch = np.full(len(slots), -1)
    copies = copies_of(slots)
    for slot, place, rows in copies:
        batch[place : place + rows] = table[slot : slot + rows]
    assert batch.tolist() == slots
    back = np.full(41, -1)
    for slot, place, rows in copies:
        back[slot : slot + rows] = batch[place : place + rows]
    assert back.tolist() == [slot if slot in slots else -1 for slot in range(41)]


@given(SLOTS)
def test_neighbours_share_a_copy(slots: list[int]) -> None:
    breaks = sum(after != before + 1 for before, after in pairwise(slots))
    assert len(copies_of(slots)) == (breaks + 1 if slots else 0)


@given(st.integers(1, 10_000), st.lists(st.integers(0, 5000)))
def test_the_table_grows_to_hold_every_row_and_never_shrinks(capacity: int, slots: list[int]) -> None:
    size = grown(capacity, slots)
    assert size >= max(capacity, max(slots, default=0) + 1)
    assert size == capacity or (size & (size - 1) == 0 and size < 2 * (max(slots) + 1))
