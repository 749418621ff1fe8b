"""The report as one HTML page that needs nothing else: what people ask first, plots, and every figure in a table."""

from collections.abc import Mapping, Sequence
from html import escape

from facestream_bench.figure_meaning import meaning_of
from facestream_bench.results import Record

HEADLINES = (
    ("latency.streams_1.first_frame_ms", "First frame after the first sample, one stream", "{:.0f} ms"),
    ("latency.streams_1.lag_p99_ms", "Lag of a frame behind its sample, p99, one stream", "{:.0f} ms"),
    ("latency.streams_1.added_p99_ms", "Of which the server adds to its announced look-ahead, p99", "{:.1f} ms"),
    ("capacity.live.streams", "Live streams carried, <code>live</code>", "{:.0f}"),
    ("capacity.deeptalk-compact.streams", "Live streams carried, <code>deeptalk-compact</code>", "{:.0f}"),
    ("capacity.diffposetalk-compact.steps_2.streams", "Live streams carried, styles by the student", "{:.0f}"),
    (
        "engine.live.onnx-cpu.fp32.rows_64.times_products",
        "A step of 64 rows, in times of its matrix products",
        "{:.2f}",
    ),
    ("offline.times_real_time.median", "A recording, on one core, in times of real time", "{:.0f}"),
    ("latency.ready_s", "From start to ready", "{:.1f} s"),
    ("quality.prompts.closure", "p, b and m that close the lips, real speech never heard", "{:.1%}"),
    ("latency.nvidia_latency_p99_ms", "NVIDIA's “latency”: time to the header of a clip, p99", "{:.1f} ms"),
    ("latency.burst_first_frame_p99_ms", "Time to the first frame of the same clips, p99", "{:.0f} ms"),
    ("latency.nvidia_fps_p1", "NVIDIA's “fps”: messages a second of a clip, p1", "{:.0f}"),
    ("latency.burst_frames_per_s_p1", "Frames a second of the same clips, p1", "{:.0f}"),
)

TITLES = {"latency": "Latency, client in Python", "latency_compiled": "Latency, compiled client"}
"""Of plots whose name does not say it all."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p.facts { color: #666; margin: .2rem 0; } code { font-size: .9em; background: #f3f3f3; padding: 0 .25em; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .2rem .6rem; border-bottom: 1px solid #e6e6e6; }
th { text-align: left; font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.better { color: #777; width: 6rem; }
summary { cursor: pointer; color: #0072b2; } svg { max-width: 100%; height: auto; }
table.first td { font-size: 1.02rem; } li { color: #444; }
"""


def page(records: Sequence[Record], plots: Mapping[str, str]) -> str:
    """The page of `records`; `plots` are SVG texts by the name of the record that they belong to, or of a group."""
    figures = {key: value for record in records for key, value in record.figures.items()}
    dates = sorted({record.date for record in records})
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>facestream: measured</title><style>{STYLE}</style></head><body>",
        "<h1>facestream: measured</h1>",
        f"<p class=facts>{escape(_span(dates))}, {escape('; '.join(sorted({one.hardware for one in records})))}</p>",
        _headlines(figures),
    ]
    parts += [f"<h2>{escape(TITLES.get(name, name.capitalize()))}</h2>{svg}" for name, svg in plots.items()]
    parts.append("<h2>Every figure</h2><p>Each file says when, where and by which command its figures were made.</p>")
    parts += [_record(record) for record in records]
    return "\n".join([*parts, "</body></html>", ""])


def _span(dates: Sequence[str]) -> str:
    return dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


def _headlines(figures: Mapping[str, float]) -> str:
    rows = [
        f"<tr><td>{words}</td><td class=number>{form.format(figures[key])}</td></tr>"
        for key, words, form in HEADLINES
        if key in figures
    ]
    return f"<table class=first>{''.join(rows)}</table>" if rows else ""


def _record(record: Record) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    notes = "".join(f"<li>{escape(note)}</li>" for note in record.notes)
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td class=number>{value:.4g}</td>"
        f"<td class=better>{escape(_arrow(key))}</td></tr>"
        for key, value in sorted(record.figures.items())
    )
    return (
        f"<h2 id='{escape(record.name)}'>{escape(record.name)}</h2>"
        f"<p class=facts>{escape(record.date)}, {escape(record.hardware)}; {escape(versions)}</p>"
        f"<p class=facts><code>{escape(record.command)}</code></p>" + (f"<ul>{notes}</ul>" if notes else "")
        + f"<details><summary>{len(record.figures)} figures</summary><table><tr><th>figure</th><th></th>"
        f"<th>better is</th></tr>{rows}</table></details>"
    )  # fmt: skip


def _arrow(key: str) -> str:
    return meaning_of(key).value
