"""Every client plays the same scenario against a real server; clients that are wrong on purpose are found out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugins.conformance.plan import read_scenario
from tests.plugins.conformance.python_client import Habits, play
from tests.plugins.conformance.runners import CLIENTS, Runner, played, runners
from tests.plugins.conformance.stage import Expected, Stage, stage
from tests.plugins.conformance.verdict import Report, differences, golden_problems, problems
from tests.plugins.conformance.wrong_clients import wrong_clients

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCENARIO = read_scenario()
WRONG = wrong_clients()
AT_ONCE = 3
"""Clients that play side by side, a dozen streams each: more would keep two cores from the pace of speech."""
LONGEST_S = 570


@dataclass(frozen=True)
class Outcome:
    """All reports of a run, and what they are held against."""

    expected: Mapping[str, Expected]
    reports: Mapping[str, Report]
    wrong: Mapping[str, Report]


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    programs = runners(Path(request.config.cache.mkdir("plugins")))
    return asyncio.run(_everyone_plays(programs, tmp_path_factory.mktemp("conformance")))


async def _everyone_plays(programs: Mapping[str, Runner], folder: Path) -> Outcome:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def play_in_turn(runner: Runner, where: Path) -> Report:
        async with at_once:
            return await played(place, runner, where)

    async with stage(SCENARIO, folder) as place, asyncio.timeout(LONGEST_S):
        expected = await place.expected()
        reports, wrong = await asyncio.gather(
            asyncio.gather(*(play_in_turn(runner, folder / name) for name, runner in programs.items())),
            asyncio.gather(*(_play_wrongly(place, case, habits) for case, habits in WRONG.values())),
        )
        await place.emptied()
        return Outcome(expected, dict(zip(programs, reports, strict=True)), dict(zip(WRONG, wrong, strict=True)))


async def _play_wrongly(place: Stage, case: str, habits: Habits) -> Report:
    async with place.plan("grpc", case) as cases:
        return await play(cases, habits)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_plays_the_scenario(outcome: Outcome, client: str) -> None:
    if client not in outcome.reports:
        pytest.skip(f"what builds the runner of {client} is missing")
    found = problems(outcome.reports[client], SCENARIO, outcome.expected)
    assert not found, "\n".join(found)


def test_clients_agree_with_each_other(outcome: Outcome) -> None:
    assert differences(outcome.reports, SCENARIO) == []


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_client_is_found_out(outcome: Outcome, what: str) -> None:
    case = WRONG[what][0]
    found = problems(outcome.wrong[what], SCENARIO.only((case,)), outcome.expected)
    assert [one for one in found if one.startswith(f"{case}: ")], f"a client that {what} passes"


def test_the_server_says_what_it_said(outcome: Outcome) -> None:
    assert golden_problems(outcome.expected) == []


def test_the_slow_reader_is_slow(outcome: Outcome) -> None:
    """Else that case would tell nothing of the clients that read no sooner than they are asked."""
    kinds = {
        event[0]
        for client in {"python", "cpp"} & set(outcome.reports)
        for event in outcome.reports[client]["cases"]["slow-reader"]["events"]
    }
    assert "frames_dropped" in kinds
