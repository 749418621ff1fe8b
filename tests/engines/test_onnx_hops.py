"""Steps by rings are those of the whole graph, in any mixture of hops, rows and mates."""

import numpy as np
import pytest

from facestream.engines import onnx_hops
from facestream.engines.base import ROW, BatchState
from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.onnx import OnnxEngine
from facestream.engines.onnx_hops import HOPS, OnnxHopEngine
from facestream.errors import BundleError, EngineError
from facestream.types import Float32

HOP = 640


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle("live")


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> OnnxHopEngine:
    return OnnxHopEngine(bundle, "hop.onnx")


@pytest.fixture(scope="module")
def whole(bundle: Bundle) -> OnnxEngine:
    return OnnxEngine(bundle)


def sound(rows: int, hops: int, seed: int = 0) -> Float32:
    return (0.1 * np.random.default_rng(seed).standard_normal((rows, HOP * hops))).astype(np.float32)


def fresh(*rows: int) -> BatchState:
    return {ROW: np.array(rows, np.float32), HOPS: np.zeros(len(rows), np.float32)}


def spoken(engine: OnnxHopEngine, pcm: Float32, state: BatchState, *pieces: int) -> Float32:
    """Motion of `pcm` in steps of so many hops."""
    made, at = [], 0
    for hops in pieces:
        output = engine.step(pcm[:, HOP * at : HOP * (at + hops)], state)
        state, at = output.next_state, at + hops
        made.append(output.motion)
    assert HOP * at == pcm.shape[1]
    return np.concatenate(made, axis=1)


def test_any_pieces_give_what_the_whole_graph_gives(engine: OnnxHopEngine, whole: OnnxEngine) -> None:
    pcm = sound(3, 24)
    expected = whole.step(pcm, whole.model.fresh_state(3))
    for pieces in ((1,) * 24, (1, 4, 1, 1, 16, 1), (2, 1, 1, 8, 1, 1, 2, 8)):
        np.testing.assert_allclose(spoken(engine, pcm, fresh(5, 130, 2), *pieces), expected.motion, atol=1e-5)
    first = engine.step(pcm[:, :HOP], fresh(1, 2, 3))
    np.testing.assert_allclose(first.phone, expected.phone[:, :2], atol=1e-5)


def test_hops_are_counted_without_end(bundle: Bundle, whole: OnnxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_hops, "_TURNS", 1)
    pcm = sound(1, 70)
    made = spoken(OnnxHopEngine(bundle, "hop.onnx"), pcm, fresh(1), *(1,) * 30, 4, *(1,) * 36)
    np.testing.assert_allclose(made, whole.step(pcm, whole.model.fresh_state(1)).motion, atol=1e-5)


def test_a_row_alone_is_the_row_among_mates_at_other_hops(engine: OnnxHopEngine) -> None:
    pcm = sound(9, 6)
    alone = spoken(engine, pcm[:1], fresh(9), *(1,) * 6)
    late = {1: 3, 4: 2}
    state = {ROW: np.arange(1.0, 10.0, dtype=np.float32), HOPS: np.zeros(9, np.float32)}
    for row, hops in late.items():
        engine.step(sound(1, hops, seed=row), {ROW: state[ROW][row : row + 1], HOPS: state[HOPS][row : row + 1]})
        state[HOPS][row] = hops
    np.testing.assert_allclose(spoken(engine, pcm, state, *(1,) * 6)[:1], alone, atol=1e-5)


def test_a_new_stream_hears_nothing_of_who_had_its_row(engine: OnnxHopEngine) -> None:
    pcm = sound(1, 3, seed=1)
    first = spoken(engine, pcm, fresh(4), 1, 1, 1)
    spoken(engine, sound(1, 7, seed=2), fresh(4), 1, 4, 1, 1)
    np.testing.assert_array_equal(spoken(engine, pcm, fresh(4), 1, 1, 1), first)


def test_a_row_that_is_not_finite_fails_alone_and_leaves_nothing(engine: OnnxHopEngine) -> None:
    pcm = sound(4, 2)
    good = spoken(engine, pcm, fresh(1, 2, 3, 4), 1, 1)
    bad = pcm.copy()
    bad[2, 5] = np.inf
    output = engine.step(bad[:, :HOP], fresh(1, 2, 3, 4))
    assert output.failed_rows() == [2]
    following = engine.step(pcm[:, HOP:], output.next_state)
    np.testing.assert_allclose(following.motion[[0, 1, 3]], good[[0, 1, 3], 2:], atol=1e-5)
    np.testing.assert_allclose(spoken(engine, pcm[2:3], fresh(3), 1, 1), good[2:3], atol=1e-5)


@pytest.mark.parametrize("rows", [(0, 1), (3, 3)])
def test_rows_must_have_numbers_of_their_own(engine: OnnxHopEngine, rows: tuple[int, int]) -> None:
    with pytest.raises(EngineError, match="numbers of their own"):
        engine.step(sound(2, 1), fresh(*rows))


def test_a_graph_of_another_kind_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"graph for one hop .* of 'state_pcm'.* export the bundle again"):
        OnnxHopEngine(bundle, "live.onnx")


def test_every_size_is_warmed_up(engine: OnnxHopEngine) -> None:
    assert list(engine.warm_up()) == [1, 2, 4, 8, 16, 32, 64]
    assert engine.cost_s(64) > 0.0
