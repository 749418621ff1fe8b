from pathlib import Path

import pytest

from facestream.retarget.profile import RigProfile, load_profile, shipped_profile_path
from facestream_models.flame.head import Head, load_head


@pytest.fixture(scope="session")
def head_folder() -> Path:
    return shipped_profile_path().parent


@pytest.fixture(scope="session")
def open_head(head_folder: Path) -> Head:
    return load_head(head_folder / "open_head.npz")


@pytest.fixture(scope="session")
def profile() -> RigProfile:
    return load_profile()
