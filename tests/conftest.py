"""Settings that hold for every test."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Machines that are shared are slow at times: no test may fail for how long it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets up the package's logs in this process does so for its own test only."""
    logger = logging.getLogger("facestream")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before
