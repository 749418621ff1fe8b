"""How far engines and precisions are from one another, and rows of a batch from the row alone, in blendshape units.

    facestream-bench parity --model live

Writes `benchmarks/results/parity_MODEL.json`. Real speech goes hop by hop through the whole path to 52 weights, blinks
and gaze off. `parity.MODEL.ENGINE.PRECISION.{mean,p99,max}` are absolute differences of weights to ONNX Runtime on the
CPU in fp32. `...batch.rows_R.max` is the largest difference of any of R streams that share every step, each with speech
of its own, to the same stream by itself on the same engine; `...batch.max` is the largest of these.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facestream.acting import ActingChange
from facestream.engines.base import BUCKETS
from facestream.polish.options import PolishOptions
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.types import Float32, Frames, joined_frames
from facestream_bench.chosen_model import add_model, label_of, options_of
from facestream_bench.command import add_output, publish
from facestream_bench.speech import RATE_HZ, clip_speech
from facestream_bench.variants import REFERENCE, add_variants, usable_variants

Figures = dict[str, float]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(
        "facestream-bench parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="of speech through every engine")
    parser.add_argument("--batch-seconds", type=float, default=2, help="of speech of every row of a batch")
    parser.add_argument("--rows", type=int, nargs="*", default=list(BUCKETS[1:]), help="rows of the batches")
    add_model(parser)
    add_variants(parser)
    add_output(parser)
    arguments = parser.parse_args(words)
    label, acting = label_of(arguments), options_of(arguments).acting
    speech = clip_speech()
    heard = [np.resize(speech, round(arguments.seconds * RATE_HZ))]
    truth = weights_of(REFERENCE.open(arguments.model), heard, acting)[0]
    variants, notes = usable_variants(arguments)
    figures: Figures = {}
    for variant in variants:
        pipeline = variant.open(arguments.model)
        found = {} if variant == REFERENCE else differences(weights_of(pipeline, heard, acting)[0], truth)
        pieces = pieces_of(speech, max(arguments.rows, default=0), arguments.batch_seconds)
        found |= batch_differences(pipeline, pieces, arguments.rows, acting)
        for key, value in found.items():
            figures[f"parity.{label}.{variant.name}.{key}"] = value
            print(f"{variant.name}.{key:24} {value:.3g}", flush=True)
    notes = [
        f"{arguments.seconds:g} s of speech against {REFERENCE.name}; rows of a batch with 52 weights each",
        *notes,
    ]
    publish(f"parity_{label}", figures, parser, arguments, notes)


def weights_of(
    pipeline: Pipeline, pieces: Sequence[Float32], acting: ActingChange | None, first_seed: int = 0
) -> list[Float32]:
    """ARKit weights [F, 52] of `pieces` [T] at 16 kHz, one stream each, all in one batch, each with the next seed."""
    options = StreamOptions(polish=PolishOptions(blinks=False, gaze=False), acting=acting)
    streams = [pipeline.open(replace(options, seed=first_seed + number)) for number in range(len(pieces))]
    runs: list[list[Frames]] = [[] for _ in streams]
    hop = pipeline.model.hop_samples
    for begin in range(0, max(len(piece) for piece in pieces), hop):
        for stream, piece in zip(streams, pieces, strict=True):
            if not stream.is_finished:
                stream.push(piece[begin : begin + hop])
                if begin + hop >= len(piece):
                    stream.finish()
        while any(stream.ready_hops for stream in streams):
            for run, found in zip(runs, pipeline.advance(streams), strict=True):
                assert isinstance(found, Frames), found
                run.append(found)
    for stream in streams:
        stream.close()
    return [joined_frames(run).weights for run in runs]


def differences(found: Float32, truth: Float32) -> Figures:
    """Of weights [F, 52] to those that they should be."""
    apart = np.abs(found - truth)
    return {"mean": float(apart.mean()), "p99": float(np.percentile(apart, 99)), "max": float(apart.max())}


def pieces_of(speech: Float32, count: int, seconds: float) -> list[Float32]:
    """`count` pieces [T] that begin all over `speech`, no two at the same place."""
    length = round(seconds * RATE_HZ)
    return [np.resize(np.roll(speech, -(number * len(speech) // count)), length) for number in range(count)]


def batch_differences(
    pipeline: Pipeline, pieces: Sequence[Float32], row_counts: Sequence[int], acting: ActingChange | None
) -> Figures:
    """Largest difference between the first R pieces in one batch and each of them by itself, for every R."""
    figures: Figures = {}
    alone: list[Float32] = []
    for rows in sorted(rows for rows in row_counts if rows <= pipeline.max_rows):
        for number in range(len(alone), rows):
            alone += weights_of(pipeline, [pieces[number]], acting, number)
        together = weights_of(pipeline, pieces[:rows], acting)
        figures[f"batch.rows_{rows}.max"] = max(
            float(np.abs(one - other).max()) for one, other in zip(together, alone, strict=False)
        )
    return figures | ({"batch.max": max(figures.values())} if figures else {})
