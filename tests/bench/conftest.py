import pytest

from tests.bench.tiny_deeptalk import tiny_actor, tiny_face


@pytest.fixture(scope="module")
def actor():
    return tiny_actor()


@pytest.fixture(scope="module")
def face():
    return tiny_face()
