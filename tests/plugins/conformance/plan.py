"""The scenario, and the plans that runners are given; engine_plugins/conformance/README.md tells what words mean."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).resolve().parents[3] / "engine_plugins/conformance/scenario.json"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A line of a plan."""

    case: str
    server: str
    audio: str
    model: str = ""
    token: str = ""
    seed: int = 0
    frame_rate: int = 30
    slow_reader: str = "drop"
    pace: str = "live"
    pause: tuple[int, int] | None = None
    read_after: int = 0
    cancel_after: int | None = None
    draw: tuple[int, int, int] | None = None
    lose: tuple[int, int] | None = None
    play: int | None = None
    together: str = ""

    @property
    def line(self) -> str:
        words = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                words.append(f"{field.name}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
        return " ".join(words)


def case_of(line: str) -> Case:
    """The case of a line; raises `TypeError` for a key that is not known."""
    values: dict[str, Any] = {}
    for word in line.split(" "):
        key, _, text = word.partition("=")
        if key in ("seed", "frame_rate", "read_after", "cancel_after", "play"):
            values[key] = int(text)
        elif key in ("pause", "draw", "lose"):
            values[key] = tuple(map(int, text.split(",")))
        else:
            values[key] = text
    return Case(**values)


@dataclass(frozen=True)
class Written:
    """A case of the scenario file: its words for the plan, the network before the server, and what must come of it."""

    name: str
    plan: dict[str, Any]
    network: dict[str, Any]
    expect: dict[str, Any]

    def case(self, server: str, token: str, audio: dict[str, str]) -> Case:
        """As a runner gets it; `audio` names a recording's file or address."""
        values = {"token": token, **self.plan, "audio": audio[self.plan["audio"]]}
        words = " ".join(f"{key}={value}" for key, value in values.items())
        return case_of(f"case={self.name} server={server} {words}")


@dataclass(frozen=True)
class Scenario:
    """The file as a whole."""

    cases: tuple[Written, ...]
    audio_seconds: dict[str, int]
    tolerance: float
    tolerance_drawn: float

    def only(self, names: tuple[str, ...]) -> "Scenario":
        """With some of its cases."""
        cases = tuple(case for case in self.cases if case.name in names)
        return Scenario(cases, self.audio_seconds, self.tolerance, self.tolerance_drawn)


def read_scenario(path: Path = SCENARIO) -> Scenario:
    """The scenario that ships with the plugins."""
    told = json.loads(path.read_text())
    cases = tuple(
        Written(one["case"], {**told["defaults"], **one["plan"]}, one.get("network", {}), one.get("expect", {}))
        for one in told["cases"]
    )
    tolerances = (told[f"tolerance{kind}"] for kind in ("", "_drawn"))
    return Scenario(cases, told["audio_seconds"], *tolerances)
