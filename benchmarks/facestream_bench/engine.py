"""What one step of a model costs, by engine, precision and rows, beside the matrix products that it is made of.

    facestream-bench engine --model live

Writes `benchmarks/results/engine_MODEL.json`, keys such as `engine.live.onnx-cpu.fp32.rows_64.ms`. A step moves every
row on by one hop. Beside its time stand `gflop`, counted from the graphs as they were run (`matrix_products`), and
`products_ms`, the time of fp32 products of the very same sizes with the same library on the same core and one thread,
measured in turns with the step; `times_products` says how many times that floor a step takes, `products_share` which
share of it the floor is. `realtime_rows` is how many rows such steps move on in real time, one after the other, and
`traffic_mb` the least that a step reads and writes: every weight once, each row's state twice. `frame_us` is everything
behind the step that makes a frame: retarget, polish, bookkeeping. All are medians of `--runs`, by the clock that
`variants` chooses.
"""

import argparse
import math
import statistics
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnx

from facestream.acting import ActingChange
from facestream.engines.base import BUCKETS
from facestream.engines.bundle import open_bundle
from facestream.serving.pipeline import Pipeline
from facestream_bench.chosen_model import add_model, label_of, options_of
from facestream_bench.command import add_output, publish
from facestream_bench.matrix_products import Product, Products, watched
from facestream_bench.product_times import ProductTimer
from facestream_bench.stepping import Marching
from facestream_bench.variants import REFERENCE, Variant, add_variants, usable_variants

COUNTED_HOPS = 5
"""Some models do a part of their work, such as hearing an emotion, in every fifth hop only."""
WARM_HOPS = 15
"""Until every window has all the past that it looks back to."""
_SAMPLES_PER_MS = 16

Figures = dict[str, float]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(BUCKETS), help="rows of a step")
    parser.add_argument(
        "--hops", type=int, default=20, help="steps a run; a multiple of 5 for models that hear emotion"
    )
    parser.add_argument("--runs", type=int, default=5, help="medians over so many runs")
    add_model(parser)
    add_variants(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    label, acting = label_of(arguments), options_of(arguments).acting
    variants, notes = usable_variants(arguments)
    figures: Figures = {}
    for variant in variants:
        for rows in arguments.rows:
            found = measure(variant, arguments.model, rows, acting, arguments.hops, arguments.runs)
            figures |= {f"engine.{label}.{variant.name}.rows_{rows}.{key}": value for key, value in found.items()}
            print(
                f"{variant.name} {rows:4} rows: {found['ms']:.3f} ms, {found['times_products']:.2f} products",
                flush=True,
            )
    notes = [
        f"medians of {arguments.runs} runs of {arguments.hops} steps; products in fp32; on a CPU by processor time",
        *notes,
    ]
    publish(f"engine_{label}", figures, parser, arguments, notes)


def measure(variant: Variant, model: str, rows: int, acting: ActingChange, hops: int, runs: int) -> Figures:
    """Figures of steps of `rows` rows, and of the products of as many steps, in turns."""
    each = products_a_hop(model, rows, acting)
    timer = ProductTimer(variant.now)
    pipeline = variant.open(model)
    marching = Marching(pipeline, rows, acting, variant.now)
    marching.advance(WARM_HOPS)
    steps_s, products_s, frames_s = [], [], []
    for _ in range(runs):
        before = marching.step_s, marching.rest_s, marching.frames
        marching.advance(hops)
        steps_s.append((marching.step_s - before[0]) / hops)
        frames_s.append((marching.rest_s - before[1]) / max(marching.frames - before[2], 1))
        products_s.append(timer.seconds(each.items()))
    marching.close()
    step_ms = 1000 * statistics.median(steps_s)
    times = statistics.median(step / floor for step, floor in zip(steps_s, products_s, strict=True))
    return {
        "ms": step_ms,
        "ms_per_row": step_ms / rows,
        "realtime_rows": rows * pipeline.model.hop_samples / (step_ms * _SAMPLES_PER_MS),
        "traffic_mb": (_weight_bytes(model) + 2 * rows * _state_bytes(model, pipeline)) / 1e6,
        "products_ms": 1000 * statistics.median(products_s),
        "times_products": times,
        "products_share": 1 / times,
        "gflop": sum(product.flops * count for product, count in each.items()) / 1e9,
        "frame_us": 1e6 * statistics.median(frames_s),
    }


@cache
def _weight_bytes(model: str) -> int:
    """Of all graphs, each number as float32."""
    folder = open_bundle(model).folder
    weights = (weight for path in folder.glob("*.onnx") for weight in onnx.load(path).graph.initializer)
    return sum(4 * math.prod(weight.dims) for weight in weights)


def _state_bytes(model: str, pipeline: Pipeline) -> int:
    """Of a stream, wherever it is kept."""
    states = {spec.name: (spec.shape, np.float32) for spec in open_bundle(model).model.states}
    columns = {**states, **pipeline.source.columns}
    return sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in columns.values())


def products_a_hop(model: str, rows: int, acting: ActingChange) -> dict[Product, float]:
    """How many products of which sizes a step of `rows` rows has, in the mean of `COUNTED_HOPS`."""
    longer, shorter = (_products_until(model, rows, acting, hops) for hops in (WARM_HOPS + COUNTED_HOPS, WARM_HOPS))
    return {product: count / COUNTED_HOPS for product, count in (longer - shorter).items()}


def _products_until(model: str, rows: int, acting: ActingChange, hops: int) -> Products:
    """All products from the opening of the model on."""
    with tempfile.TemporaryDirectory() as folder, watched(Path(folder)) as watch:
        marching = Marching(REFERENCE.open(model), rows, acting)
        marching.advance(hops)
        marching.close()
        return watch.products()
