"""Plays the scenario with one runner, and tells what is wrong with it.

    python -m tests.plugins.conformance TRANSPORT RUNNER [WORDS ...]

TRANSPORT is `grpc` or `websocket`; the runner is called with its words, the plan and where to write the report.
`FACESTREAM_CASES=stream,cancel` plays some of the cases only; `GOLDEN` in place of a transport writes expected.json.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.plugins.conformance.plan import read_scenario
from tests.plugins.conformance.runners import Runner, played
from tests.plugins.conformance.stage import stage
from tests.plugins.conformance.verdict import make_golden, problems


async def main(transport: str, *words: str) -> int:
    """Exit code: 0 where the client conforms."""
    scenario = read_scenario()
    if cases := os.environ.get("FACESTREAM_CASES"):
        scenario = scenario.only(tuple(cases.split(",")))
    with tempfile.TemporaryDirectory() as folder:
        async with stage(scenario, Path(folder)) as place:
            expected = await place.expected()
            if transport == "GOLDEN":
                make_golden(expected)
                return 0
            report = await played(place, Runner(transport, words), Path(folder))
            found = problems(report, scenario, expected)
            await place.emptied()
    for name, entry in report["cases"].items():
        told = f": {entry['message']}" if entry["message"] else ""
        print(f"{name}: {entry['status']}, {len(entry['frames'])} frames, {len(entry['drawn'])} drawn{told}")
    print(json.dumps(found, indent=1) if found else "conforms")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
