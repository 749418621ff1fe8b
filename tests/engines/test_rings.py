import sys
import threading

import numpy as np
import pytest

from facestream.engines.rings import Rings, RingShape


@pytest.mark.parametrize("shape", [RingShape(8, 3, 4, 1), RingShape(12, 2, 4, 2), RingShape(2, 1, 2, 2)])
def test_a_ring_tells_what_a_list_would(shape: RingShape) -> None:
    rng = np.random.default_rng(0)
    rings, slots = Rings(shape, 2), np.array([70, 0, 200])
    rings.clear(slots)
    lists = np.zeros((2, 3, shape.length, shape.width), np.float32)
    taps = slice(None, None, shape.length // shape.heard)
    for hop in range(30):
        hops = np.full(3, hop)
        np.testing.assert_array_equal(rings.heard(slots, hops), lists[:, :, taps])
        np.testing.assert_array_equal(rings.whole(slots, hops), lists)
        if hop % 7 == 6:
            lists = rng.normal(size=lists.shape).astype(np.float32)
            rings.replace(slots, hops + 1, list(lists))
        else:
            new = rng.normal(size=(2, 3, shape.added, shape.width)).astype(np.float32)
            rings.add(slots, hops, list(new))
            lists = np.concatenate((lists, new), axis=2)[:, :, shape.added :]


def test_streams_keep_rings_of_their_own() -> None:
    rings, both, first = Rings(RingShape(4, 1, 4, 1), 1), np.array([0, 1]), np.array([0])
    rings.clear(both)
    rings.add(both, np.array([0, 3]), [np.array([[[1.0]], [[2.0]]], np.float32)])
    rings.clear(first)
    (told,) = rings.heard(both, np.array([1, 4]))
    assert told[:, :, 0].tolist() == [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]


def test_a_table_that_grows_under_another_thread_forgets_nothing() -> None:
    rings = Rings(RingShape(length=4, width=8, heard=4, added=1), layers=8)
    mine, done = np.array([0]), threading.Event()

    def grow() -> None:
        for slot in range(64, 64 << 7, 64):
            rings.clear(np.array([slot]))
        done.set()

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        growing = threading.Thread(target=grow)
        growing.start()
        rings.clear(mine)
        hop = 0
        while not done.is_set():
            given = np.full((1, 1, 8), hop, np.float32)
            rings.add(mine, np.array([hop]), [given] * 8)
            hop += 1
            for layer in rings.heard(mine, np.array([hop])):
                assert layer[0, -1, 0] == hop - 1
        growing.join()
    finally:
        sys.setswitchinterval(interval_s)
