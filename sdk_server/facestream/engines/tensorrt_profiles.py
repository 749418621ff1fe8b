"""Which shapes an engine is built for: one profile for each bucket of rows, and one for recordings as wholes.

Graphs of the manifest name their free axes: `B` rows, `640*S` samples of `S` hops, `G*B` rows in `G` branches, `L`
frames of a window, `M` with those before it. A profile says of every name the least, the usual and the most; the
builder compiles for the usual one and allows the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from facestream.engines.base import BUCKETS
from facestream.engines.diffposetalk import LATE_FRAMES, SILENT_FRAMES
from facestream.engines.manifest import DeepTalkManifest, DiffPoseTalkManifest, GraphSpec, LiveManifest, Manifest
from facestream.errors import InvalidValue

MOST_HOPS = 16
"""Hops that a step of a `live` graph takes at once; longer ones are cut by the engine."""
WINDOW_BUCKETS = (1, 4, 16)
"""Rows of models that work by windows: their steps have no more (`motion/warm_up.py`)."""
MOST_BRANCHES = 3
"""Of guidance: with speech and style, with speech alone, with neither."""

Axes = Sequence[int | str]
Shape = tuple[int, ...]


class Span(NamedTuple):
    """Sizes of one named axis."""

    least: int
    usual: int
    most: int

    @classmethod
    def only(cls, size: int) -> "Span":
        return cls(size, size, size)


class Shapes(NamedTuple):
    """Shapes of one input in one profile."""

    least: Shape
    usual: Shape
    most: Shape

    def hold(self, shape: Shape) -> bool:
        return len(shape) == len(self.least) and all(
            least <= size <= most for least, size, most in zip(self.least, shape, self.most, strict=True)
        )


Profile = Mapping[str, Shapes]
"""Input name -> its shapes."""


def profile_of(inputs: Mapping[str, Axes], spans: Mapping[str, Span]) -> Profile:
    """Shapes of all `inputs` under `spans`. Raises `InvalidValue` for an axis whose name has none."""
    return {
        name: Shapes(*(tuple(_size(axis, spans, place) for axis in axes) for place in range(3)))
        for name, axes in inputs.items()
    }


def profile_that_holds(profiles: Sequence[Profile], shapes: Mapping[str, Shape]) -> int | None:
    """Number of the first profile that allows all `shapes`; `None` where there is none."""
    for number, profile in enumerate(profiles):
        if all(profile[name].hold(shape) for name, shape in shapes.items()):
            return number
    return None


def bucket_of(rows: int, buckets: Sequence[int] = BUCKETS) -> int:
    """The smallest bucket that holds `rows`. Raises `InvalidValue` for more than the largest."""
    for bucket in buckets:
        if rows <= bucket:
            return bucket
    raise InvalidValue("rows", rows, f"1 to {buckets[-1]} in one step")


def graphs_of(manifest: Manifest) -> tuple[GraphSpec, ...]:
    """Every graph of a bundle, that of a `live` bundle as the others say it."""
    if not isinstance(manifest, LiveManifest):
        return tuple(manifest.graphs)
    states: dict[str, list[int | str]] = {spec.name: ["B", *spec.shape] for spec in manifest.states}
    rows: list[int | str] = ["B", f"{int(manifest.motions_per_hop)}*S"]
    width = manifest.outputs.expression + manifest.outputs.jaw + len(manifest.outputs.extras)
    spec = GraphSpec(
        file=manifest.graph,
        inputs={"pcm": ["B", f"{manifest.hop_samples}*S"], **states},
        outputs={
            "motion": [*rows, width],
            "phone": [*rows, len(manifest.phone_classes)],
            **{f"next_{name}": axes for name, axes in states.items()},
        },
    )
    return (spec,)


def profiles_of(manifest: Manifest, graph: GraphSpec) -> tuple[Profile, ...]:
    """What one graph of a bundle is asked for, live and for recordings."""
    if isinstance(manifest, LiveManifest):
        # A `live` step is padded to its bucket, so that few CUDA graphs serve all steps.
        hops = Span(1, 1, MOST_HOPS)
        return _with_rows(graph, [Span.only(bucket) for bucket in BUCKETS], {"S": hops})
    if isinstance(manifest, DeepTalkManifest):
        return _deeptalk(manifest, graph)
    return _diffposetalk(manifest, graph)


def _deeptalk(manifest: DeepTalkManifest, graph: GraphSpec) -> tuple[Profile, ...]:
    reach, longest = 1 + manifest.window.ahead_codes, manifest.longest_samples // manifest.code_samples
    window = manifest.window.past_codes + reach
    hops_a_code = 4
    # Of a live stream an emotion is heard in one to 13 codes; of a recording in as many as the manifest says.
    heard = max(manifest.hearing.codes, _LIVE_HEARING)
    is_hearing = set(graph.inputs) == {"pcm"}
    live = {
        "K": Span(1, _LIVE_HEARING, _LIVE_HEARING) if is_hearing else Span(1, window, window),
        "H": Span(1, hops_a_code, hops_a_code * reach),
    }
    whole = {
        "K": Span(1, min(heard, longest), heard if is_hearing else longest),
        "H": Span(1, hops_a_code * _LIVE_HEARING, hops_a_code * longest + 1),
    }
    return (*_with_rows(graph, _ranges(WINDOW_BUCKETS), live), *_with_rows(graph, [Span.only(1)], whole))


_LIVE_HEARING = 13


def _diffposetalk(manifest: DiffPoseTalkManifest, graph: GraphSpec) -> tuple[Profile, ...]:
    pieces, window, most = manifest.pieces, manifest.window, WINDOW_BUCKETS[-1]
    new = pieces.hop_frames + pieces.ahead_frames
    live = pieces.context_frames + new
    whole = max(pieces.context_frames + window.frames + pieces.hop_frames, live, SILENT_FRAMES)
    # What a window hears is computed with and without speech in one batch.
    rows = _ranges((*WINDOW_BUCKETS, 2 * most) if "past_audio" in graph.inputs else WINDOW_BUCKETS)
    short = manifest.distilled_frames or window.frames
    sizes = {
        "F": Span(1, live, live),
        "H": Span(1, pieces.hop_frames, new),
        "G": Span(1, 2, MOST_BRANCHES),
        "L": Span(short, short, window.frames),
        "M": Span(window.past + short, window.past + short, window.past + window.frames),
    }
    profiles = _with_rows(graph, rows, sizes)
    if _names(graph) & {"F", "H"}:
        spoken = Span(1, whole, whole + LATE_FRAMES)
        profiles += _with_rows(graph, [Span.only(1)], {"F": spoken, "H": spoken})
    return profiles


def _with_rows(graph: GraphSpec, rows: Iterable[Span], others: Mapping[str, Span]) -> tuple[Profile, ...]:
    return tuple(profile_of(graph.inputs, {**others, "B": span}) for span in rows)


def _ranges(buckets: Sequence[int]) -> list[Span]:
    """Rows up to each bucket, from where the one before ends: these steps are not padded."""
    return [Span(before + 1, bucket, bucket) for before, bucket in zip((0, *buckets), buckets, strict=False)]


def _names(graph: GraphSpec) -> set[str]:
    axes = [axis for shape in graph.inputs.values() for axis in shape if isinstance(axis, str)]
    return {factor for axis in axes for factor in axis.split("*") if not factor.isdigit()}


def _size(axis: int | str, spans: Mapping[str, Span], place: int) -> int:
    if isinstance(axis, int):
        return axis
    factors = axis.split("*")
    unknown = [factor for factor in factors if not factor.isdigit() and factor not in spans]
    if unknown:
        raise InvalidValue("axis", repr(axis), f"numbers and {', '.join(sorted(spans))}")
    return prod(int(factor) if factor.isdigit() else spans[factor][place] for factor in factors)
