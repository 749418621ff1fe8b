import os
import subprocess
import sys

import pytest

from facestream import grpc_polling
from facestream.grpc_polling import choose_polling

NAME = "GRPC_EXPERIMENTS"


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)


@pytest.mark.parametrize(
    ("release", "chosen"), [("1.79.0", False), ("1.80.0", True), ("1.85.1", True), ("1.86.0", False), ("2.0.0", False)]
)
def test_only_releases_that_know_the_switch_are_told(monkeypatch, release, chosen):
    monkeypatch.setattr(grpc_polling, "version", lambda name: release)
    choose_polling()
    assert (NAME in os.environ) is chosen


def test_who_has_chosen_is_left_alone(monkeypatch):
    monkeypatch.setenv(NAME, "theirs")
    choose_polling()
    assert os.environ[NAME] == "theirs"


@pytest.mark.parametrize("module", ["facestream.cli.main", "facestream_bench"])
def test_it_is_chosen_before_grpc_is_there(module):
    look = f"import sys, {module}; print('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_installed_grpc_knows_the_switch():
    choose_polling()
    started = "import asyncio, grpc\nasync def go(): grpc.aio.server()\nasyncio.run(go())"
    said = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True, check=True).stderr
    assert "Unknown experiment" not in said


def test_a_name_that_grpc_does_not_know_is_complained_of(monkeypatch):
    monkeypatch.setenv(NAME, "-no_such_thing")  # the control of the test above
    started = "import asyncio, grpc\nasync def go(): grpc.aio.server()\nasyncio.run(go())"
    said = subprocess.run([sys.executable, "-c", started], capture_output=True, text=True, check=True).stderr
    assert "Unknown experiment" in said
