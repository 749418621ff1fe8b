"""The plots of the report, each made of the figures that it finds; one without its figures is left out."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

Figures = Mapping[str, float]

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#8c8c8c"
"""Colours that are told apart without red and green, too (Okabe and Ito)."""
COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9")
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "facestream",
    "figure.constrained_layout.use": True,
}


def latency(figures: Figures, prefix: str = "latency") -> Figure | None:
    """Lag and added latency, and who used the cores, by the number of streams."""
    counts = sorted({int(found[1]) for found in _found(figures, rf"^{prefix}\.streams_(\d+)\.added_p99_ms$")})
    if not counts:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.4))
    places = range(len(counts))
    for offset, (name, words, colour) in enumerate(
        (("lag", "behind its sample", BLUE), ("added", "added by the server", ORANGE))
    ):
        for shift, part in ((-0.08, "p50"), (0.0, "p95"), (0.08, "p99")):
            values = [figures.get(f"{prefix}.streams_{count}.{name}_{part}_ms") for count in counts]
            kept = [(place, value) for place, value in zip(places, values, strict=True) if value is not None]
            marker = {"p50": "o", "p95": "s", "p99": "^"}[part]
            label = f"{words}, {part}" if kept else None
            x = [place + shift + 0.3 * (offset - 0.5) for place, _ in kept]
            left.plot(x, [value for _, value in kept], marker, color=colour, label=label)
    left.axhline(60, color=GREY, linestyle=":", linewidth=1)
    left.text(-0.45, 61, "60 ms: limit of added p99", color=GREY, fontsize=8, va="bottom")
    _title(left, "Latency of a frame, ms")
    left.set_xticks(list(places), [f"{count} streams" if count > 1 else "1 stream" for count in counts])
    left.set_xlim(-0.5, len(counts) - 0.5)
    left.legend(fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(0.0, -0.12))
    server, client = ([figures.get(f"{prefix}.streams_{count}.{who}_cores", 0.0) for count in counts]
                      for who in ("server", "client"))  # fmt: skip
    right.bar(places, server, 0.6, color=BLUE, label="server")
    right.bar(places, client, 0.6, bottom=server, color=GREY, label="measuring client")
    _title(right, "Processor cores in use")
    right.set_xticks(list(places), [str(count) for count in counts])
    right.set_xlabel("streams")
    right.legend(fontsize=8)
    return figure


def capacity(figures: Figures) -> Figure | None:
    """Streams carried, a bar for each model."""
    models = {found[1]: figures[found[0]] for found in _found(figures, r"^capacity\.(.+)\.streams$")}
    if not models:
        return None
    figure, axes = plt.subplots(figsize=(9.6, 0.9 + 0.45 * len(models)))
    names = sorted(models, key=lambda name: models[name])
    axes.barh(names, [models[name] for name in names], 0.6, color=BLUE)
    for place, name in enumerate(names):
        server, client = (figures.get(f"capacity.{name}.{who}_cores", 0.0) for who in ("server", "client"))
        words = f" {models[name]:.0f}   server {server:.2f} cores, client {client:.2f}"
        axes.text(models[name], place, words, va="center", fontsize=9)
    axes.set_xlim(0, 1.6 * max(*models.values(), 1.0))
    _title(axes, "Live streams carried (added p99 at most 60 ms, under 0.1 % missed)", grid="x")
    return figure


def engine(figures: Figures) -> Figure | None:
    """Time a row by rows of a step, above the matrix products; a panel for each model."""
    found = _found(figures, r"^engine\.(.+)\.([\w-]+\.(?:fp32|fp16|int8))\.rows_(\d+)\.ms_per_row$")
    models = sorted({one[1] for one in found})
    if not models:
        return None
    figure, panels = plt.subplots(1, len(models), figsize=(max(4.8, 3.7 * len(models)), 3.2), squeeze=False)
    for panel, model in zip(panels[0], models, strict=True):
        variants = sorted({one[2] for one in found if one[1] == model})
        floor: dict[int, float] = {}
        for variant, colour in zip(variants, COLOURS, strict=False):
            rows = sorted(int(one[3]) for one in found if one[1:3] == (model, variant))
            prefix = f"engine.{model}.{variant}.rows_"
            panel.plot(
                rows, [figures[f"{prefix}{count}.ms_per_row"] for count in rows], "o-", color=colour, label=variant
            )
            floor |= {count: figures[f"{prefix}{count}.products_ms"] / count for count in rows}
        panel.plot(
            sorted(floor), [floor[count] for count in sorted(floor)], "--", color=GREY, label="products alone, fp32"
        )
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_xticks(sorted(floor), [str(count) for count in sorted(floor)])
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.minorticks_off()
        panel.set_xlabel("rows of a step")
        panel.legend(fontsize=8)
        _title(panel, f"{model}: ms a row", grid="both")
    return figure


def parity(figures: Figures) -> Figure | None:
    """Differences of weights, mean to max, on a logarithmic axis."""
    found = _found(figures, r"^parity\.(.+)\.max$")
    bars = {one[1]: (figures.get(f"parity.{one[1]}.mean"), figures[one[0]]) for one in found if ".rows_" not in one[1]}
    if not bars:
        return None
    figure, axes = plt.subplots(figsize=(9.6, 1.0 + 0.35 * len(bars)))
    least = 1e-9
    for place, (mean, largest) in enumerate(bars.values()):
        axes.barh(place, max(largest, least), 0.6, left=0, color=BLUE if mean is not None else ORANGE)
        if mean is not None:
            axes.plot(max(mean, least), place, "|", color="white", markersize=12, markeredgewidth=2)
        axes.text(max(largest, least), place, f" {largest:.2g}", va="center", fontsize=8)
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_xscale("log")
    axes.set_xlim(least, 1.0)
    for limit, words in ((1e-5, "1e-5"), (2e-3, "2e-3"), (0.05, "0.05")):
        axes.axvline(limit, color=GREY, linestyle=":", linewidth=1)
        axes.text(limit, len(bars) - 0.45, words, color=GREY, fontsize=8, ha="center")
    axes.set_ylim(-0.6, len(bars) - 0.1)
    _title(axes, "Largest difference of a weight, 0 to 1", grid="x")
    axes.set_xlabel(
        "blue: to ONNX Runtime in fp32, white mark: the mean; orange: of a row in a batch to the row alone", fontsize=8
    )
    return figure


QUALITY = {
    "prompts.closure": "p b m closed",
    "noise20.closure": "at 20 dB noise",
    "noise10.closure": "at 10 dB",
    "noise5.closure": "at 5 dB",
    "grid.sealed": "sealed as filmed lips",
    "grid.r_lips": "r with filmed lips",
    "open.music": "open in music",
    "open.white": "open in noise",
}


def quality(figures: Figures) -> Figure | None:
    """Shares on real speech: the product beside a jaw that follows loudness."""
    keys = [key for key in QUALITY if f"quality.{key}" in figures]
    if not keys:
        return None
    figure, axes = plt.subplots(figsize=(9.6, 3.2))
    systems = (("quality", "facestream, model live", BLUE), ("loudness", "jaw by loudness", GREY))
    for shift, (prefix, words, colour) in zip((-0.2, 0.2), systems, strict=True):
        places = [place + shift for place in range(len(keys))]
        values = [figures.get(f"{prefix}.{key}", 0.0) for key in keys]
        axes.bar(places, values, 0.38, color=colour, label=words)
        for place, value in zip(places, values, strict=True):
            axes.text(place, value, f"{value:.2f}", ha="center", va="bottom", fontsize=8)
    axes.set_xticks(range(len(keys)), [QUALITY[key] for key in keys], fontsize=8)
    axes.set_ylim(0, 1.12)
    axes.legend(fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 0.99))
    _title(axes, "Shares on real speech, noise and music that training never heard")
    return figure


PLOTS: Mapping[str, Callable[[Figures], Figure | None]] = {
    "latency": latency,
    "latency_compiled": partial(latency, prefix="latency_compiled"),
    "capacity": capacity,
    "engine": engine,
    "parity": parity,
    "quality": quality,
}


def drawn(figures: Figures) -> dict[str, Figure]:
    """Every plot that `figures` are enough for, by name. Close them with `pyplot.close`."""
    with plt.rc_context(STYLE):
        found = {name: plot(figures) for name, plot in PLOTS.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


def _found(figures: Figures, pattern: str) -> list[tuple[str, ...]]:
    """Of every name that matches: the name and the pattern's groups."""
    matches = [re.match(pattern, key) for key in sorted(figures)]
    return [(match[0], *match.groups()) for match in matches if match]


def _title(axes: Axes, words: str, grid: Literal["x", "y", "both"] = "y") -> None:
    axes.set_title(words)
    axes.grid(axis=grid, color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
