"""What is wrong with a report: against what must come of each case, and against the other reports."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facestream.curves import ARKIT_NAMES
from facestream.types import Float32
from tests.plugins.conformance.plan import Case, Scenario, Written
from tests.plugins.conformance.python_client import Row, drawing, event_of, rows_of
from tests.plugins.conformance.stage import Expected

Report = Mapping[str, Any]
TOLD_ALIKE = {"speech_started", "speech_ended"}
"""Events that say the same of the same audio, whoever listens."""
GOLDEN = Path(__file__).resolve().parents[3] / "engine_plugins/conformance/expected.json"
OTHER_MACHINE = 2e-3
"""What arithmetic on another processor may change."""


def problems(report: Report, scenario: Scenario, expected: Mapping[str, Expected]) -> list[str]:
    """Everything that is wrong with a report, a sentence each; none where the client conforms."""
    found = []
    played: Mapping[str, Any] = report["cases"]
    for written in scenario.cases:
        if written.name not in played:
            found.append(f"{written.name}: not played")
            continue
        case = written.case("", "", dict.fromkeys(scenario.audio_seconds, ""))
        entry = played[written.name]
        said = [*_outcome(written, entry), *_frames(written, case, entry, scenario, expected.get(written.name))]
        found += [f"{written.name}: {one}" for one in said]
    unknown = sorted(set(played) - {written.name for written in scenario.cases})
    return found + [f"{name}: no such case" for name in unknown]


def differences(reports: Mapping[str, Report], scenario: Scenario) -> list[str]:
    """Where clients that are all right by themselves differ from each other."""
    found = []
    for written in scenario.cases:
        if written.expect.get("most_frames") == 0:
            continue
        tables = {name: _table(report["cases"][written.name]) for name, report in reports.items()}
        tables = {name: table for name, table in tables.items() if table}  # who has none is told of already
        common = set.intersection(*(set(table) for table in tables.values())) if tables else set()
        allowed = written.expect.get("tolerance", scenario.tolerance)
        for index in sorted(common):
            rows = np.stack([table[index] for table in tables.values()])
            spread = np.ptp(rows, axis=0).max()
            if spread > allowed:
                found.append(f"{written.name}: frame {index} of {', '.join(tables)} differs by {spread:.2g}")
                break
    return found


def _outcome(written: Written, entry: Report) -> list[str]:
    expect, found = written.expect, []
    resumes = expect.get("resumes", 0)
    least, most = resumes if isinstance(resumes, list) else (resumes, resumes)
    if not least <= entry["resumes"] <= most:
        found.append(f"resumes is {entry['resumes']!r}, not {resumes!r} ({entry['message']})")
    for what, usual in (("status", "finished"), ("failure", ""), ("lost_samples", 0)):
        if entry[what] != expect.get(what, usual):
            found.append(f"{what} is {entry[what]!r}, not {expect.get(what, usual)!r} ({entry['message']})")
    if expect.get("message", "") not in entry["message"]:
        found.append(f"the message does not say {expect['message']!r}: {entry['message']}")
    if entry["status"] == "failed" and "\n" in entry["message"].strip():
        found.append(f"the message has more than one line: {entry['message']}")
    count = len(entry["frames"])
    if not expect.get("least_frames", 0) <= count <= expect.get("most_frames", count):
        found.append(f"{count} frames, not {expect.get('least_frames', 0)} to {expect.get('most_frames', 'all')}")
    return found


def _frames(written: Written, case: Case, entry: Report, scenario: Scenario, expected: Expected | None) -> list[str]:
    if expected is None or not entry["frames"]:
        return [] if expected is None else ["no frames"]
    if sorted(entry["curve_names"]) != sorted(ARKIT_NAMES):
        return [f"curves are {', '.join(entry['curve_names'][:3])}..., not the 52 of ARKit"]
    table, wanted = _table(entry), rows_of(expected.frames)
    indices = [int(frame[0]) for frame in entry["frames"]]
    if indices != sorted(table):
        return ["frames come twice or out of order"]
    found = _missing(written, entry, indices, len(wanted))
    positions = [int(frame[1]) for frame in entry["frames"]]
    if positions != [expected.clock.sample_of(index) for index in indices]:
        found.append("frames belong to other samples")
    worst = max((float(np.abs(table[row.index] - row.values).max()), row.index) for row in wanted if row.index in table)
    allowed = written.expect.get("tolerance", scenario.tolerance)
    if worst[0] > allowed:
        row = next(row for row in wanted if row.index == worst[1])
        column = int(np.abs(table[row.index] - row.values).argmax())
        found.append(f"frame {row.index} differs by {worst[0]:.2g}, in {_name(column)}")
    if entry["status"] == "finished" and not written.network:
        told = [tuple(event) for event in entry["events"] if event[0] in TOLD_ALIKE]
        right = [one for one in map(event_of, expected.events) if one[0] in TOLD_ALIKE]
        if told != right:
            found.append(f"events {told}, not {right}")
    if case.draw is not None:
        found += _drawing(written, case, entry, scenario, expected)
    return found


def _missing(written: Written, entry: Report, indices: list[int], count: int) -> list[str]:
    dropped = {index for kind, first, size in entry["events"] if kind == "frames_dropped"
               for index in range(first, first + size)}  # fmt: skip
    if dropped and not written.expect.get("may_drop"):
        return [f"{len(dropped)} frames were dropped"]
    end = count if entry["status"] == "finished" else indices[-1] + 1
    missing = set(range(end)) - set(indices)
    if missing != dropped:
        wrong = sorted(missing ^ dropped)
        return [f"frame {wrong[0]} and {len(wrong) - 1} more are missing and nothing tells it, or told and not missing"]
    return []


def _drawing(written: Written, case: Case, entry: Report, scenario: Scenario, expected: Expected) -> list[str]:
    table = _table(entry)
    wanted = np.array(drawing(case, expected.clock, [Row(index, table[index]) for index in sorted(table)]))
    drawn = np.array(entry["drawn"], np.float64)
    drawn = np.concatenate([drawn[:, :2], _canonical(entry, entry["drawn"])], axis=1)
    if drawn.shape != wanted.shape or not np.array_equal(drawn[:, 0], wanted[:, 0]):
        return [f"{len(drawn)} moments drawn, not {len(wanted)} at the positions asked for"]
    found = []
    away = np.abs(drawn[:, 2:] - wanted[:, 2:]).max(axis=1)
    if (worst := int(away.argmax())) >= 0 and away[worst] > scenario.tolerance_drawn:
        found.append(f"what is drawn at sample {int(drawn[worst, 0])} differs by {away[worst]:.2g}")
    if (drawn[:, 1] != wanted[:, 1]).any():
        found.append("starved at other moments")
    step = drawn[1, 0] - drawn[0, 0]
    within = drawn[:, 0] < expected.clock.sample_of(int(max(table)))
    starved_ms = 1000 * float((drawn[within, 1] > 0).sum() * step / expected.clock.sample_rate_hz)
    if starved_ms < written.expect.get("least_starved_ms", 0):
        found.append(f"starved for {starved_ms:.0f} ms only: the case is hollow")
    if written.expect.get("is_at_rest") and np.abs(drawn[-1, 2 : 2 + len(ARKIT_NAMES)]).max() > 0:
        found.append("not at rest in the end")
    return found


def golden_problems(expected: Mapping[str, Expected]) -> list[str]:
    """Where the server itself no longer says what it said when the file was written (`make_golden`)."""
    found = []
    for name, rows in json.loads(GOLDEN.read_text()).items():
        frames = {row.index: row.values for row in rows_of(expected[name].frames)}
        for index, weights in rows.items():
            found += [
                f"{name}: frame {index} has {curve} at {frames[int(index)][ARKIT_NAMES.index(curve)]:.4f}, not {weight}"
                for curve, weight in weights.items()
                if abs(frames[int(index)][ARKIT_NAMES.index(curve)] - weight) > OTHER_MACHINE
            ]
    return found


def make_golden(expected: Mapping[str, Expected], names: tuple[str, ...] = ("stream", "live-bundle")) -> None:
    """Write every twentieth frame of some cases: the curves that move."""
    told = {
        name: {
            str(row.index): {
                curve: round(float(weight), 4)
                for curve, weight in zip(ARKIT_NAMES, row.values, strict=False)
                if weight > 0.01
            }
            for row in rows_of(expected[name].frames)[::20]
        }
        for name in names
    }
    cases = (
        f'"{name}": {{\n' + ",\n".join(f'    "{index}": {json.dumps(row)}' for index, row in rows.items()) + "\n  }"
        for name, rows in told.items()
    )
    GOLDEN.write_text("{\n  " + ",\n  ".join(cases) + "\n}\n")


def _table(entry: Report) -> dict[int, Float32]:
    """Frames by index, weights in canonical order by their names."""
    if not entry["frames"]:
        return {}
    rows = _canonical(entry, entry["frames"])
    return {int(frame[0]): row for frame, row in zip(entry["frames"], rows, strict=True)}


def _canonical(entry: Report, rows: list[list[float]]) -> Float32:
    """`[F, 64]` behind the two numbers that a row begins with."""
    places = [2 + entry["curve_names"].index(name) for name in ARKIT_NAMES]
    table = np.array(rows, np.float32)
    return np.concatenate([table[:, places], table[:, 2 + len(places) :]], axis=1)


def _name(column: int) -> str:
    return ARKIT_NAMES[column] if column < len(ARKIT_NAMES) else "a rotation"
