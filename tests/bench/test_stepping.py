"""What `engine` measures is the pipeline's own work, with the model that ships and beside a clock that is chosen."""

import itertools

import pytest

from facestream.serving.pipelines import open_pipeline
from facestream_bench.engine import products_a_hop
from facestream_bench.stepping import Marching
from tests.transports.loopback import synthetic_pipeline


def test_every_row_moves_one_hop_a_step_and_all_rows_are_given_back() -> None:
    pipeline = synthetic_pipeline()
    source = pipeline.source
    marching = Marching(pipeline, 3)
    assert pipeline.open_count == 3
    before = source.engine.step_count
    marching.advance(30)
    assert source.engine.step_count == before + 30
    seconds = 30 * pipeline.model.hop_samples / 16_000
    assert marching.frames == pytest.approx(3 * 30 * seconds, abs=3)
    marching.close()
    assert pipeline.open_count == 0
    assert pipeline.source is source


def test_the_models_step_is_told_apart_from_what_follows_it() -> None:
    clock = itertools.count()
    marching = Marching(synthetic_pipeline(), 2, now=lambda: float(next(clock)))
    marching.advance(10)
    assert (marching.step_s, marching.rest_s) == (10.0, 20.0)


def test_products_of_a_step_grow_with_its_rows_and_not_with_their_number() -> None:
    acting = open_pipeline("live").model.abilities
    assert acting is None
    one, three = (products_a_hop("live", rows, None) for rows in (1, 3))
    assert sum(three.values()) == sum(one.values()) == 36
    flops = [sum(product.flops * count for product, count in each.items()) for each in (one, three)]
    assert flops[1] == 3 * flops[0]
    assert 5e6 < flops[0] < 12e6  # 3.1 M parameters, most of them used once a hop
