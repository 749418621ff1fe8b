"""One command for the suite: every name leads somewhere, and what goes wrong is one line."""

import argparse
import sys
from pathlib import Path

import pytest

from facestream.errors import InvalidValue
from facestream_bench import main as suite
from facestream_bench.chosen_model import (
    CROWDS,
    add_client,
    add_engine,
    add_fronts,
    add_model,
    crowd_of,
    label_of,
    options_of,
    settings_of,
)
from facestream_bench.command import add_output, command_of, publish
from facestream_bench.results import read_results


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["facestream-bench", *words])
    try:
        suite.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@pytest.mark.parametrize("command", suite.COMMANDS)
def test_every_command_tells_its_options(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    assert f"usage: facestream-bench {command}" in capsys.readouterr().out


def test_without_a_command_they_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    told = capsys.readouterr().out
    assert all(command in told for command in suite.COMMANDS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fly",), "no command 'fly'"),
        (("capacity", "--model", "nobody"), "nobody"),
        (("compare", "absent.json", "absent.json"), "absent.json"),
    ],
)
def test_what_goes_wrong_is_one_line(
    words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("facestream-bench: ")
    assert told in said
    assert said.count("\n") == 1


def test_a_package_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in ("facestream_bench.report", "facestream_bench.report_plots"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert run(monkeypatch, "report") == 2
    assert "pip install 'facestream[bench,train]'" in capsys.readouterr().err


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("facestream-bench try")
    made.add_argument("--streams", type=int, nargs="+", default=[1])
    made.add_argument("--data", type=Path)
    made.add_argument("--quick", action="store_true")
    add_model(made)
    add_engine(made)
    add_output(made)
    return made


def test_the_command_on_record_has_what_was_chosen_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    words = ["--streams", "4", "8", "--data", str(tmp_path), "--quick", "-o", str(tmp_path / "a.json"), "--beside", "x"]
    made = parser()
    assert command_of(made.prog, made, made.parse_args([])) == "facestream-bench try"
    assert command_of(made.prog, made, made.parse_args(words)) == (
        "facestream-bench try --streams 4 8 --data DATA --quick"
    )
    publish("try", {"a.b": 1.0}, made, made.parse_args(words), ["y"])
    record = read_results(tmp_path / "a.json")
    assert (record.figures, record.notes) == ({"a.b": 1.0}, ("y", "x"))


def test_a_model_is_named_with_what_is_asked_of_it() -> None:
    plain = parser().parse_args([])
    assert (label_of(plain), settings_of(plain)) == ("live", {})
    assert options_of(plain).styling is None
    styled = parser().parse_args(
        ["--model", "diffposetalk-compact", "--steps", "2", "--style", "smiling", "--engine", "onnx"]
    )
    assert label_of(styled) == "diffposetalk-compact.steps_2.onnx"
    made = parser()
    add_client(made)
    add_fronts(made)
    several = made.parse_args(["--front-processes", "2", "--precision", "int8", "--client", "compiled"])
    assert label_of(several) == "live.int8.fronts_2"
    assert settings_of(several) == {"precision": "int8", "front_processes": 2}
    assert crowd_of(made.parse_args(["--client", "compiled"])) is CROWDS["compiled"]
    assert crowd_of(several).keywords == {"connections": 32}  # type: ignore[attr-defined]
    with pytest.raises(InvalidValue, match="client: got python"):
        crowd_of(made.parse_args(["--front-processes", "2"]))
    styling = options_of(styled).styling
    assert styling is not None
    assert (styling.steps, styling.style) == (2, "smiling")
