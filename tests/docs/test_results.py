"""Figures in `benchmarks/results/` keep the one form that people and tools rely on."""

import json
from datetime import date
from pathlib import Path

import pytest

from facestream_bench.results import write_results

RESULTS = sorted((Path(__file__).resolve().parents[2] / "benchmarks" / "results").glob("*.json"))


def problems(record: dict[str, object], name: str) -> list[str]:
    found = [key for key in ("name", "date", "hardware", "versions", "command", "figures") if key not in record]
    if found:
        return [f"missing: {', '.join(found)}"]
    if record["name"] != name:
        found.append(f"name {record['name']} in {name}.json")
    date.fromisoformat(str(record["date"]))
    figures = record["figures"]
    if not isinstance(figures, dict) or not figures:
        found.append("no figures")
    else:
        found += [key for key, value in figures.items() if not isinstance(value, int | float) or value != value]
    if "/" in str(record["hardware"]):
        found.append("hardware names a path")
    return found


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_result_has_the_form(path: Path) -> None:
    assert problems(json.loads(path.read_text()), path.stem) == []


def test_writer_gives_the_form_and_bad_figures_are_noticed(tmp_path: Path) -> None:
    path = write_results("speed", "python -m x", {"a.b": 1.23456789}, path=tmp_path / "speed.json")
    record = json.loads(path.read_text())
    assert problems(record, "speed") == []
    assert record["figures"] == {"a.b": 1.235}
    record["figures"]["a.c"] = float("nan")
    assert problems(record, "speed") == ["a.c"]
