from pathlib import Path

import numpy as np
import pytest

from facestream.errors import InvalidValue
from facestream.files.formats import READABLE, SUFFIXES, TakeOptions, check_options, check_output, read_take, write_take
from facestream.files.viseme_csv import HEADER
from facestream.timebase import FrameRate
from facestream.visemes import VISEMES, visemes_of
from tests.files.test_gltf_mesh import character, take

RATE = FrameRate(30000, 1001)


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix in READABLE])
@pytest.mark.parametrize("animation_only", [False, True])
def test_every_format_that_is_read_gives_back_what_was_written(
    tmp_path: Path, suffix: str, animation_only: bool
) -> None:
    frames = take(40)  # a second and more: a shorter CSV does not tell its timecode rate
    path = tmp_path / f"take{suffix}"
    assert write_take(path, frames, RATE, TakeOptions(animation_only=animation_only)).paths == (path,)
    found = read_take(path)
    np.testing.assert_allclose(found.weights, frames.weights, atol=1e-6)
    times = found.times_s - found.times_s[0]
    np.testing.assert_allclose(times, np.arange(40) / float(RATE.fraction), atol=1.5e-5)
    assert found.pose is not None
    assert frames.pose is not None
    for name in ("head", "left_eye", "right_eye"):
        cosine = np.abs((getattr(found.pose, name) * getattr(frames.pose, name)).sum(axis=1))
        np.testing.assert_allclose(cosine, 1.0, atol=1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_visemes_are_in_the_file_or_beside_it(tmp_path: Path, suffix: str) -> None:
    frames = take(5)
    path = tmp_path / f"take{suffix}"
    written = write_take(path, frames, RATE, TakeOptions(visemes=True))
    if suffix in (".csv", ".glb"):
        assert written.paths == (path, tmp_path / "take.visemes.csv")
        header, *rows = (line.split(",") for line in written.paths[1].read_text().splitlines())
        assert tuple(header) == HEADER == ("Timecode", *VISEMES)
        assert rows[0][0] == "00:00:00:06.006"  # frame 3
        np.testing.assert_allclose(
            [[float(cell) for cell in row[1:]] for row in rows], visemes_of(frames.weights), atol=1e-6
        )
    else:
        assert written.paths == (path,)
        assert VISEMES[-1].encode() in path.read_bytes() or suffix == ".npz"


def test_a_mesh_of_ones_own(tmp_path: Path) -> None:
    options = TakeOptions(mesh=character(tmp_path, names=["jawOpen"]))
    written = write_take(tmp_path / "take.glb", take(), RATE, options)
    assert "tongueOut" in written.missing
    assert "jawOpen" not in written.missing


@pytest.mark.parametrize(
    ("options", "outputs", "said"),
    [
        (TakeOptions(mesh=Path("hero.glb")), ["take.csv"], "mesh: got hero.glb; allowed: a mesh together with"),
        (TakeOptions(mesh=Path("hero.glb")), ["take.glb"], "a .glb or .gltf file that exists"),
        (TakeOptions(animation_only=True), ["take.csv"], "animation_only: got take.csv; allowed: an output"),
    ],
)
def test_options_without_a_file_for_them_are_refused(options: TakeOptions, outputs: list[str], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        check_options(options, [Path(name) for name in outputs])


def test_paths_that_can_not_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"ending in \.csv, \.npz, \.json, \.glb, \.usda"):
        check_output(tmp_path / "take.fbx")
    with pytest.raises(InvalidValue, match="a folder that exists"):
        check_output(tmp_path / "nowhere" / "take.csv")
    mesh = tmp_path / "hero.glb"
    with pytest.raises(InvalidValue, match="another file than the mesh"):
        check_output(tmp_path / "hero.glb", TakeOptions(mesh=mesh))
    with pytest.raises(InvalidValue, match=r"ending in \.csv, \.npz, \.json, \.glb, \.gltf"):
        read_take(tmp_path / "take.fbx")
