"""Better and worse, by what each figure means."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream_bench import compare
from facestream_bench.compare import Verdict, compared, told
from facestream_bench.figure_meaning import Better, meaning_of
from facestream_bench.results import Record, read_results, write_results
from tests.docs.markdown import ROOT

LOWER = ("engine.live.onnx-cpu.fp32.rows_64.ms", "latency.streams_1.added_p99_ms", "parity.live.tensorrt.fp16.max",
         "soak.live.leaked_rows", "capacity.live.server_cores", "quality.open.music", "quality.prompts.false_closure",
         "latency.streams_64.missed_frames", "engine.live.onnx-cpu.fp32.rows_8.times_products",
         "solve.rows_64_us_per_frame", "soak.live.memory_drift_mb_per_hour", "latency.ready_s")  # fmt: skip
HIGHER = ("capacity.live.streams", "capacity.diffposetalk-compact.steps_2.streams", "latency.nvidia_fps_p1",
          "quality.prompts.closure", "quality.grid.r_lips", "offline.times_real_time.median",
          "quality.noise10.closure")  # fmt: skip
NEITHER = ("engine.live.onnx-cpu.fp32.rows_64.gflop", "soak.live.calls_slow", "soak.live.minutes",
           "deeptalk_speed.compact.live.streams", "quality.grid-other.bilabials")  # fmt: skip


@pytest.mark.parametrize(
    ("better", "keys"), [(Better.LOWER, LOWER), (Better.HIGHER, HIGHER), (Better.NEITHER, NEITHER)]
)
def test_a_name_tells_which_way_is_better(better: Better, keys: tuple[str, ...]) -> None:
    assert {key: meaning_of(key) for key in keys} == dict.fromkeys(keys, better)


def test_synchrony_is_best_at_zero() -> None:
    assert meaning_of("quality.sync_ms") is Better.NEARER_ZERO
    assert verdict("quality.sync_ms", -40.0, 10.0) is Verdict.BETTER
    assert verdict("quality.sync_ms", 0.0, -20.0) is Verdict.WORSE


def record(figures: dict[str, float], **others: str) -> Record:
    facts = {"name": "x", "date": "2026-11-21", "hardware": "2 cores", "command": "facestream-bench x"} | others
    return Record(**facts, versions={"numpy": "2.4"}, figures=figures)


def verdict(key: str, before: float, after: float) -> Verdict:
    (row,) = compared(record({key: before}), record({key: after}))
    return row.verdict


NUMBERS = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(before=NUMBERS, after=NUMBERS)
def test_turning_the_comparison_round_turns_the_verdict_round(before: float, after: float) -> None:
    turned = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    for key in (LOWER[0], HIGHER[0], "a.sync_ms", NEITHER[0]):
        there, back = verdict(key, before, after), verdict(key, after, before)
        assert back is turned.get(there, there)
        assert verdict(key, before, before) is Verdict.SAME


@given(before=st.floats(1e-3, 1e6), share=st.floats(0.06, 0.9))
def test_a_change_beyond_the_tolerance_is_never_called_the_same(before: float, share: float) -> None:
    assert verdict(LOWER[0], before, before * (1 - share)) is Verdict.BETTER
    assert verdict(HIGHER[0], before, before * (1 - share)) is Verdict.WORSE
    assert verdict(LOWER[0], before, before * (1 - share / 30)) is Verdict.SAME


def test_from_nothing_missed_to_one_is_worse_and_has_no_ratio() -> None:
    (row,) = compared(record({"a.missed_frames": 0.0}), record({"a.missed_frames": 1.0}))
    assert row.verdict is Verdict.WORSE
    assert row.ratio is None
    (row,) = compared(record({"a_ms": 2.0}), record({"a_ms": 3.0}))
    assert math.isclose(row.ratio or 0.0, 1.5)


def test_figures_of_one_file_alone_are_told() -> None:
    rows = compared(record({"old_ms": 1.0}), record({"fresh_ms": 1.0}))
    assert {row.key: row.verdict for row in rows} == {"old_ms": Verdict.GONE, "fresh_ms": Verdict.NEW}


def test_other_hardware_is_noted() -> None:
    one, other = record({"a_ms": 1.0}), record({"a_ms": 1.0}, hardware="64 cores")
    assert "NOTE" in told(one, other, compared(one, other))
    assert "NOTE" not in told(one, one, compared(one, one))


@pytest.mark.parametrize(("after", "code"), [(1.02, None), (0.5, None), (1.5, 1)])
def test_strict_fails_a_build_where_something_is_worse(
    after: float, code: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        write_results(name, "x", {"latency.ready_s": value}, path=tmp_path / f"{name}.json")
        for name, value in (("before", 1.0), ("after", after))
    ]
    words = [*map(str, paths), "--strict"]
    if code is None:
        compare.main(words)
    else:
        with pytest.raises(SystemExit) as end:
            compare.main(words)
        assert end.value.code == code
    assert "latency.ready_s" in capsys.readouterr().out


STRANGE = ("", "[]", "{}", '{"figures": {}}', json.dumps(dict.fromkeys(Record.__dataclass_fields__, "x")))


@pytest.mark.parametrize("content", STRANGE)
def test_a_file_of_another_form_is_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "strange.json"
    path.write_text(content)
    with pytest.raises(InvalidValue, match="strange"):
        read_results(path)
    with pytest.raises(InvalidValue, match="absent"):
        read_results(tmp_path / "absent.json")


def test_results_that_are_kept_can_be_read() -> None:
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        assert read_results(path).name == path.stem
