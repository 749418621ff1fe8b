"""Settings that hold for every test."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Machines that are shared are slow at times: no test may fail for how long it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_SLOW_TEST_S = 900
"""What learns or builds for a minute on a free core may take long beside other work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_TEST_S))


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets up the package's logs in this process does so for its own test only."""
    logger = logging.getLogger("facestream")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before
