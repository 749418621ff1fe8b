"""Profiles: whatever a family asks its graphs for, there is one that allows it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.engines.base import BUCKETS
from facestream.engines.bundle import Bundle, open_bundle
from facestream.engines.deeptalk import DeepTalkGraphs
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.engines.graph import Graph, OnnxGraph
from facestream.engines.manifest import DeepTalkManifest, GraphSpec
from facestream.engines.tensorrt_profiles import (
    MOST_HOPS,
    Shape,
    Span,
    bucket_of,
    graphs_of,
    profile_of,
    profile_that_holds,
    profiles_of,
)
from facestream.errors import InvalidValue
from facestream.motion.base import MotionSource
from facestream.motion.deeptalk import DeepTalkMotion
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion
from facestream.motion.warm_up import MAX_ROWS
from facestream.retarget.profile import load_profile
from facestream.retarget.solver import Retargeter
from facestream.serving.animator import Animator
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.scheduler import CLIP_HOPS, LIVE_HOPS
from facestream.types import Float32
from tests.diffposetalk.tiny_bundle import tiny_folder
from tests.engines.tiny_deeptalk import write_tiny_deeptalk
from tests.serving.streams import babble

LIVE = open_bundle("live").manifest
(LIVE_GRAPH,) = graphs_of(LIVE)
LIVE_PROFILES = profiles_of(LIVE, LIVE_GRAPH)


class Asked(OnnxGraph):
    """Remembers the shapes that it is run with."""

    def __init__(self, bundle: Bundle, graph: GraphSpec) -> None:
        super().__init__(bundle, graph)
        self.profiles = profiles_of(bundle.manifest, graph)
        self.spec = graph
        self.shapes: list[dict[str, Shape]] = []

    def run(self, outputs: Sequence[str], given: Mapping[str, npt.NDArray[Any]]) -> list[Float32]:
        self.shapes.append({name: array.shape for name, array in given.items()})
        return super().run(outputs, given)

    def check(self) -> None:
        assert self.shapes, self.spec.file
        for shapes in self.shapes:
            assert profile_that_holds(self.profiles, shapes) is not None, (self.spec.file, shapes)


@pytest.mark.parametrize("family", ["deeptalk hop by hop", "deeptalk window by window", "diffposetalk"])
def test_all_that_a_family_asks_for_is_allowed(family: str, tmp_path: Path) -> None:
    opened: list[Asked] = []

    def open_graph(bundle: Bundle, graph: GraphSpec) -> Graph:
        opened.append(Asked(bundle, graph))
        return opened[-1]

    source: MotionSource
    if family == "diffposetalk":
        source = DiffPoseTalkMotion(DiffPoseTalkGraphs(Bundle.open(tiny_folder(has_student=True)), open_graph))
    else:
        folder = write_tiny_deeptalk(tmp_path, hears_hops=family.endswith("hop by hop"))
        source = DeepTalkMotion(DeepTalkGraphs(Bundle.open(folder), open_graph))
    pipeline = Pipeline(Animator(source, Retargeter(load_profile(), ())))
    pipeline.warm_up()
    streams = [pipeline.open(StreamOptions(seed=seed)) for seed in range(MAX_ROWS)]
    for place, stream in enumerate(streams):
        stream.push(babble(place, 16000, 2.6))
        stream.finish()
    batches = [streams, streams[:1], streams[3:9]]
    for turn in range(60):
        pipeline.advance(batches[turn % 3][: pipeline.max_rows], LIVE_HOPS)
    animate(babble(99, 16000, 12.0), StreamOptions(), pipeline)
    for graph in opened:
        if graph.spec.file != "denoise.onnx":  # a bundle with a student does not sample by it unless it is told to
            graph.check()


def test_a_profile_allows_no_more_than_it_says() -> None:
    (graph,) = (one for one in graphs_of(open_bundle("deeptalk-compact").manifest) if "emotion" in one.inputs)
    manifest = open_bundle("deeptalk-compact").manifest
    assert isinstance(manifest, DeepTalkManifest)
    profiles = profiles_of(manifest, graph)
    sizes = {name: [size if isinstance(size, int) else None for size in axes] for name, axes in graph.inputs.items()}
    assert sizes["content"][2] == 96

    def asked(rows: int, codes: int) -> dict[str, Shape]:
        spans = {"B": Span.only(rows), "K": Span.only(codes)}
        return {name: shapes.usual for name, shapes in profile_of(graph.inputs, spans).items()}

    longest = manifest.longest_samples // manifest.code_samples
    assert profile_that_holds(profiles, asked(MAX_ROWS, 8)) == 2
    assert profile_that_holds(profiles, asked(1, longest)) == 3
    assert profile_that_holds(profiles, asked(1, longest + 1)) is None
    assert profile_that_holds(profiles, asked(MAX_ROWS + 1, 1)) is None
    assert profile_that_holds(profiles, asked(2, 9)) is None
    assert profile_that_holds(profiles, asked(1, 1) | {"content": (1, 4)}) is None


@given(st.integers(1, BUCKETS[-1]), st.integers(1, MOST_HOPS))
def test_every_live_step_has_the_profile_of_its_bucket(rows: int, hops: int) -> None:
    bucket = bucket_of(rows)
    assert rows <= bucket < 2 * rows or bucket == rows == 1
    spans = {"B": Span.only(bucket), "S": Span.only(hops)}
    shapes = {name: one.usual for name, one in profile_of(LIVE_GRAPH.inputs, spans).items()}
    assert profile_that_holds(LIVE_PROFILES, shapes) == BUCKETS.index(bucket)


def test_no_step_of_the_scheduler_is_longer_than_the_profiles() -> None:
    assert max(LIVE_HOPS, CLIP_HOPS) <= MOST_HOPS


def test_more_rows_than_the_largest_bucket_are_refused() -> None:
    with pytest.raises(InvalidValue, match="rows: got 65; allowed: 1 to 64"):
        bucket_of(65)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_an_axis_is_the_product_of_its_factors(rows: int, branches: int, frames: int) -> None:
    spans = {"B": Span(1, rows, 9), "G": Span(1, branches, 9), "F": Span(1, frames, 9)}
    shapes = profile_of({"x": ["G*B", "640*F", 7]}, spans)["x"]
    assert shapes.least == (1, 640, 7)
    assert shapes.usual == (rows * branches, 640 * frames, 7)
    assert shapes.most == (81, 5760, 7)
    assert shapes.hold(shapes.usual)
    assert not shapes.hold((*shapes.usual, 1))
    assert not shapes.hold(tuple(np.array(shapes.most) + 1))


def test_an_axis_that_nobody_knows_is_named() -> None:
    with pytest.raises(InvalidValue, match=r"'2\*Q'"):
        profile_of({"x": ["B", "2*Q"]}, {"B": Span.only(1)})
