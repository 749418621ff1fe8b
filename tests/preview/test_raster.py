import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.preview.raster import rasterise

SIZE = 24


def slow_reference(points, triangles, width, height):
    """The nearest triangle at every pixel centre, one test at a time; -1 where there is none."""
    seen = np.full((height, width), -1)
    depths = np.full((height, width), -np.inf)
    for number, triangle in enumerate(triangles):
        corners = points[triangle].astype(np.float64)
        system = np.concatenate([corners[:, :2].T, np.ones((1, 3))])
        if abs(np.linalg.det(system)) < 1e-9:
            continue
        for y in range(height):
            for x in range(width):
                weights = np.linalg.solve(system, [x + 0.5, y + 0.5, 1])
                if (weights >= 0).all() and weights @ corners[:, 2] > depths[y, x]:
                    depths[y, x], seen[y, x] = weights @ corners[:, 2], number
    return seen


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 8), reach=st.sampled_from([3.0, 12.0, 60.0]))
def test_sees_what_a_slow_renderer_sees(seed, count, reach):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, SIZE, (count, 1, 3))
    points = (middle + rng.normal(0, reach, (count, 3, 3))).reshape(-1, 3).astype(np.float32)
    triangles = np.arange(3 * count).reshape(-1, 3)
    hits = rasterise(points, triangles, SIZE, SIZE)
    found = np.full(SIZE * SIZE, -1)
    found[hits.pixel] = hits.triangle
    expected = slow_reference(points, triangles, SIZE, SIZE).ravel()
    # A pixel centre exactly on an edge may fall to either side.
    assert (found != expected).mean() < 0.005


def test_weights_find_the_pixel_s_centre_again():
    rng = np.random.default_rng(1)
    points = rng.uniform(-10, 50, (30, 3)).astype(np.float32)
    triangles = rng.integers(0, 30, (40, 3))
    hits = rasterise(points, triangles, 40, 30)
    place = (points[triangles[hits.triangle]] * hits.weights[:, :, None]).sum(axis=1)
    np.testing.assert_allclose(place[:, 0], hits.pixel % 40 + 0.5, atol=0.01)
    np.testing.assert_allclose(place[:, 1], hits.pixel // 40 + 0.5, atol=0.01)
    np.testing.assert_allclose(hits.weights.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("points", [[[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[-9, -9, 0], [-5, -9, 0], [-9, -5, 0]]])
def test_nothing_to_see(points):
    assert len(rasterise(np.array(points, np.float32), np.array([[0, 1, 2]]), 8, 8).pixel) == 0
