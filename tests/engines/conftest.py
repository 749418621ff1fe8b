import pytest

from facestream.engines.tensorrt_library import TensorRtLibrary, installed_libraries


@pytest.fixture(scope="session")
def library() -> TensorRtLibrary:
    """TensorRT for RTX cards, which needs no card to build; wheels of it exist for x86-64 only."""
    found = [library for library in installed_libraries() if library.builds_anywhere]
    if not found:
        pytest.skip("TensorRT-RTX has no wheel for this machine")
    return found[0]
